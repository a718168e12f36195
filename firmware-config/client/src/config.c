#include "config.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "port.h"

#define LARGEST_FILE 16384

static bool is_name(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return text[0] != 0 && text[strspn(text, allowed)] == 0;
}

/* A whole number between two bounds; anything else ends the reading. */
static int64_t number(struct json *json, int64_t lowest, int64_t highest)
{
    int64_t value = lowest;
    if (json_number(json, &value) && value >= lowest && value <= highest)
        return value;
    json->bad = true;
    return lowest;
}

static void read_broker(struct config *config, struct json *json)
{
    char name[16];
    for (json_open(json, '{'); json_next(json, name, sizeof name);) {
        if (strcmp(name, "host") == 0)
            json_text(json, config->host, sizeof config->host);
        else if (strcmp(name, "port") == 0)
            config->port = (uint16_t)number(json, 1, UINT16_MAX);
        else if (strcmp(name, "tls") == 0)
            json_bool(json, &config->tls);
        else if (strcmp(name, "keep_alive_s") == 0)
            config->keep_alive_s = (uint16_t)number(json, 1, UINT16_MAX);
        else
            json_skip(json, NULL);
    }
}

static void read_file_name(struct json *json, const char *folder, char *path)
{
    char file[CONFIG_NAME + 1];
    if (json_text(json, file, sizeof file) && snprintf(path, CONFIG_PATH, "%s/%s", folder, file) >= CONFIG_PATH)
        json->bad = true;
}

static void read_files(struct config *config, const char *folder, struct json *json)
{
    char name[16];
    for (json_open(json, '{'); json_next(json, name, sizeof name);) {
        if (strcmp(name, "ca") == 0)
            read_file_name(json, folder, config->ca);
        else if (strcmp(name, "cert") == 0)
            read_file_name(json, folder, config->certificate);
        else if (strcmp(name, "key") == 0)
            read_file_name(json, folder, config->key);
        else
            json_skip(json, NULL);
    }
}

static void read_scale(struct json *json, struct scale *scale)
{
    json_open(json, '[');
    if (json_item(json))
        scale->exponent = (int)number(json, -12, 12);
    if (json_item(json))
        scale->mantissa = (int32_t)number(json, INT32_MIN, INT32_MAX);
    if (scale->mantissa == 0 || json_item(json))
        json->bad = true;
}

/* A channel whose blocks have a length is a waveform. */
static void read_channel(struct json *json, struct channel *channel)
{
    char name[16];
    int64_t block_ms = 0, millihertz = 0;
    channel->scale = (struct scale){.mantissa = 1};
    for (json_open(json, '{'); json_next(json, name, sizeof name);) {
        if (strcmp(name, "c") == 0)
            channel->code = (uint32_t)number(json, 1, UINT32_MAX);
        else if (strcmp(name, "unit") == 0)
            json_text(json, channel->unit, sizeof channel->unit);
        else if (strcmp(name, "fs") == 0)
            json_thousandths(json, &millihertz);
        else if (strcmp(name, "block_ms") == 0)
            block_ms = number(json, 1, 10000);
        else if (strcmp(name, "scale") == 0)
            read_scale(json, &channel->scale);
        else if (strcmp(name, "offset") == 0)
            channel->scale.offset = (int32_t)number(json, INT32_MIN, INT32_MAX);
        else
            json_skip(json, NULL);
    }
    channel->is_wave = block_ms > 0;
    if (channel->is_wave) {
        bool possible = millihertz >= 1000 && millihertz <= 2000000;
        channel->rate = (struct rate){possible ? (uint32_t)millihertz : 1000, 1000000};
        channel->block = (uint32_t)(channel->rate.times * (uint64_t)block_ms / channel->rate.ms);
        json->bad |= !possible || channel->block < 1 || channel->block > BLOCK_SAMPLES;
    }
    json->bad |= channel->code == 0 || channel->unit[0] == 0;
}

static void read_channels(struct config *config, struct json *json)
{
    for (json_open(json, '['); json_item(json) && !json->bad;) {
        if (config->count == VITALS_CHANNELS)
            json->bad = true;
        else
            read_channel(json, &config->channels[config->count++]);
    }
}

static void read_member(struct config *config, const char *folder, const char *name, struct json *json)
{
    if (strcmp(name, "v") == 0)
        number(json, 1, 1);
    else if (strcmp(name, "site") == 0)
        json_text(json, config->site, sizeof config->site);
    else if (strcmp(name, "device") == 0)
        json_text(json, config->device, sizeof config->device);
    else if (strcmp(name, "model") == 0)
        json_text(json, config->model, sizeof config->model);
    else if (strcmp(name, "broker") == 0)
        read_broker(config, json);
    else if (strcmp(name, "files") == 0)
        read_files(config, folder, json);
    else if (strcmp(name, "interval_ms") == 0)
        config->interval_ms = (uint32_t)number(json, INTERVAL_LOWEST_MS, INTERVAL_HIGHEST_MS);
    else if (strcmp(name, "buffer_minutes") == 0)
        config->buffer_minutes = (uint32_t)number(json, 1, BUFFER_HIGHEST_MINUTES);
    else if (strcmp(name, "battery_low_percent") == 0)
        config->battery_low_percent = (unsigned)number(json, 0, 100);
    else if (strcmp(name, "channels") == 0)
        read_channels(config, json);
    else
        json_skip(json, NULL);
}

const char *config_parse(struct config *config, const char *folder, const char *text, size_t size)
{
    /* Where the fault is: the member that was being read. */
    static char fault[64];
    char name[24] = "the beginning";
    struct json json = json_in(text, size);
    *config = (struct config){.port = 8883, .tls = true, .keep_alive_s = 30, .interval_ms = 1000, .buffer_minutes = 60};
    for (json_open(&json, '{'); !json.bad && json_next(&json, name, sizeof name);)
        read_member(config, folder, name, &json);
    if (!json_ended(&json)) {
        snprintf(fault, sizeof fault, "config.json: fault at or behind %s", name);
        return fault;
    }
    if (!is_name(config->site) || !is_name(config->device))
        return "config.json: site and device: expected 1 to 64 characters of A-Z a-z 0-9 . _ -";
    if (config->host[0] == 0 || config->model[0] == 0 || config->count == 0)
        return "config.json: expected broker.host, model and channels";
    if (config->tls && (config->ca[0] == 0 || config->certificate[0] == 0 || config->key[0] == 0))
        return "config.json: TLS needs files.ca, files.cert and files.key";
    return NULL;
}

const char *config_read(struct config *config, const char *folder)
{
    static char text[LARGEST_FILE];
    char path[CONFIG_PATH];
    if (snprintf(path, sizeof path, "%s/config.json", folder) >= (int)sizeof path)
        return "the folder's name is too long";
    long size = port_read_file(path, text, sizeof text);
    if (size < 0)
        return "config.json cannot be read in this folder";
    return config_parse(config, folder, text, (size_t)size);
}
