#include "command.h"

#include "firmware.h"
#include "port.h"

/* All members that some command has. */
struct command {
    int64_t version;
    char name[16];
    bool has_rev;
    int64_t rev;
    struct json_span set;
    struct firmware firmware;
};

static void read_member(struct command *command, const char *name, struct json *json)
{
    struct firmware *firmware = &command->firmware;
    if (strcmp(name, "v") == 0)
        json_number(json, &command->version);
    else if (strcmp(name, "cmd") == 0)
        json_text(json, command->name, sizeof command->name);
    else if (strcmp(name, "rev") == 0)
        command->has_rev = json_number(json, &command->rev);
    else if (strcmp(name, "set") == 0 && json_peek(json) == '{')
        json_skip(json, &command->set);
    else if (strcmp(name, "version") == 0)
        json_text(json, firmware->version, sizeof firmware->version);
    else if (strcmp(name, "size") == 0)
        json_number(json, &firmware->size);
    else if (strcmp(name, "sha256") == 0)
        json_text(json, firmware->sha256, sizeof firmware->sha256);
    else if (strcmp(name, "sig") == 0)
        json_text(json, firmware->sig, sizeof firmware->sig);
    else if (strcmp(name, "url") == 0)
        json_text(json, firmware->url, sizeof firmware->url);
    else
        json_skip(json, NULL);
}

static void configure(struct device *device, const struct command *command)
{
    if (!command->has_rev || command->rev < 0 || command->rev > UINT32_MAX || command->set.size == 0)
        port_log("A configuration without a revision or without settings is ignored.");
    else
        device_configure(device, (uint32_t)command->rev, command->set);
}

static void decline(const struct firmware *firmware)
{
    const char *fault = firmware_fault(firmware);
    if (fault != NULL)
        port_log("A firmware notice is not well-formed: %s.", fault);
    else
        port_log("Firmware of %lld bytes is offered and declined: its signature cannot be verified here (no Ed25519), "
                 "and this client installs nothing.",
                 (long long)firmware->size);
}

void command_obey(struct device *device, const uint8_t *payload, size_t size)
{
    struct command command = {0};
    char name[16];
    struct json json = json_in((const char *)payload, size);
    for (json_open(&json, '{'); !json.bad && json_next(&json, name, sizeof name);)
        read_member(&command, name, &json);
    if (!json_ended(&json) || command.version != 1)
        port_log("A command that cannot be read is ignored.");
    else if (strcmp(command.name, "rebirth") == 0)
        device_announce(device);
    else if (strcmp(command.name, "config") == 0)
        configure(device, &command);
    else if (strcmp(command.name, "firmware") == 0)
        decline(&command.firmware);
    else
        port_log("A command that this client does not know is ignored.");
}
