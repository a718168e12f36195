/* The bundle that enrolment made for this device: `config.json` and the files it names. */
#ifndef CONFIG_H
#define CONFIG_H

#include "vitals.h"

#define CONFIG_NAME 64
#define CONFIG_PATH 256
#define CONFIG_HOST 256

/* What this client can do; asked for more, it says so instead. */
enum {
    INTERVAL_LOWEST_MS = 200,
    INTERVAL_HIGHEST_MS = 600000,
    BUFFER_HIGHEST_MINUTES = 1440,
    BLOCK_SAMPLES = 2000,
};

struct config {
    char site[CONFIG_NAME + 1];
    char device[CONFIG_NAME + 1];
    char model[VITALS_TEXT + 1];
    char host[CONFIG_HOST];
    uint16_t port;
    uint16_t keep_alive_s;
    bool tls;
    /* Paths of PEM files. */
    char ca[CONFIG_PATH];
    char certificate[CONFIG_PATH];
    char key[CONFIG_PATH];
    uint32_t interval_ms;
    uint32_t buffer_minutes;
    unsigned battery_low_percent;
    struct channel channels[VITALS_CHANNELS];
    size_t count;
};

/* Reads the configuration of a folder; NULL if it is good, else what is wrong. */
const char *config_read(struct config *config, const char *folder);
/* Reads the text of a config.json whose files lie in this folder. */
const char *config_parse(struct config *config, const char *folder, const char *text, size_t size);

#endif
