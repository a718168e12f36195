/* A plugin of Mosquitto that decides nothing: it says on the broker's log who writes under another's name.
 *
 * Mosquitto's access list refuses such a message and tells nobody but, in MQTT 5, the sender; its own line about it is of the level
 * "debug", which never goes to the log's topics and would bring a line for every message. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

/* Lines in one second; what a device does beyond that is not news. */
enum { MOST_A_SECOND = 10 };

static mosquitto_plugin_id_t *plugin;
static time_t second;
static int lines;

/* Whether the topic is vitals/v1/{site}/{name}/… */
static int is_own(const char *topic, const char *name) {
    const char *site = topic + strlen("vitals/v1/");
    const char *device = strchr(site, '/');
    size_t length = strlen(name);
    return device != NULL && strncmp(device + 1, name, length) == 0 && device[1 + length] == '/';
}

static int on_acl_check(int event, void *data, void *unused) {
    (void)event;
    (void)unused;
    const struct mosquitto_evt_acl_check *check = data;
    const char *name = mosquitto_client_username(check->client);
    if (check->access != MOSQ_ACL_WRITE || name == NULL || strncmp(check->topic, "vitals/v1/", 10) != 0) {
        return MOSQ_ERR_PLUGIN_DEFER;
    }
    /* An agent has a colon in its name, as no device can have, and asks every device. */
    if (strchr(name, ':') != NULL || is_own(check->topic, name)) {
        return MOSQ_ERR_PLUGIN_DEFER;
    }
    time_t now = time(NULL);
    if (now != second) {
        second = now;
        lines = 0;
    }
    if (lines++ < MOST_A_SECOND) {
        mosquitto_log_printf(MOSQ_LOG_WARNING, "Foreign topic: %s wrote to %s", name, check->topic);
    }
    return MOSQ_ERR_PLUGIN_DEFER;
}

int mosquitto_plugin_version(int count, const int *versions) {
    for (int i = 0; i < count; i++) {
        if (versions[i] == 5) {
            return 5;
        }
    }
    return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **data, struct mosquitto_opt *options, int count) {
    (void)data;
    (void)options;
    (void)count;
    plugin = id;
    return mosquitto_callback_register(plugin, MOSQ_EVT_ACL_CHECK, on_acl_check, NULL, NULL);
}

int mosquitto_plugin_cleanup(void *data, struct mosquitto_opt *options, int count) {
    (void)data;
    (void)options;
    (void)count;
    return mosquitto_callback_unregister(plugin, MOSQ_EVT_ACL_CHECK, on_acl_check, NULL);
}
