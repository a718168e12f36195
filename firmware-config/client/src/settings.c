#include "settings.h"

#include <stdio.h>
#include <string.h>

void settings_deliver(struct settings *settings, const struct config *config)
{
    *settings = (struct settings){.interval_ms = config->interval_ms, .battery_low_percent = config->battery_low_percent};
    for (size_t i = 0; i < config->count; i++)
        settings->sends[i] = true;
}

static bool number(struct json_span value, int64_t lowest, int64_t highest, int64_t *number)
{
    struct json json = json_in(value.at, value.size);
    return json_number(&json, number) && json_ended(&json) && *number >= lowest && *number <= highest;
}

/* Only waveforms of this device can be asked for; then those alone are sent. */
static bool take_waves(struct settings *settings, const struct config *config, struct json_span value)
{
    bool wanted[VITALS_CHANNELS] = {false};
    struct json json = json_in(value.at, value.size);
    for (json_open(&json, '['); json_item(&json);) {
        int64_t code;
        size_t i = 0;
        json_number(&json, &code);
        while (!json.bad && i < config->count && !(config->channels[i].is_wave && config->channels[i].code == code))
            i++;
        if (json.bad || i == config->count)
            return false;
        wanted[i] = true;
    }
    if (!json_ended(&json))
        return false;
    for (size_t i = 0; i < config->count; i++)
        settings->sends[i] = wanted[i] || !config->channels[i].is_wave;
    return true;
}

/* Only characters that every reader of the contract takes. */
static void make_plain(char *text)
{
    for (; *text; text++)
        *text = *text < ' ' || *text > '~' ? '?' : *text;
}

/* What was found, then what was expected. */
static void reject(struct settings *settings, const char *name, struct json_span value, const char *expected)
{
    if (settings->rejected_count == VITALS_REJECTED)
        return;
    struct rejected *rejected = &settings->rejected[settings->rejected_count++];
    size_t found = value.size < 24 ? value.size : 24;
    snprintf(rejected->setting, sizeof rejected->setting, "%s", name);
    snprintf(rejected->reason, sizeof rejected->reason, "%.*s: %s", (int)found, value.at, expected);
    make_plain(rejected->reason);
}

static void take(struct settings *settings, const struct config *config, const char *name, struct json_span value)
{
    int64_t wanted;
    char expected[40] = "no such setting";
    if (strcmp(name, "interval_ms") == 0) {
        if (number(value, INTERVAL_LOWEST_MS, INTERVAL_HIGHEST_MS, &wanted)) {
            settings->interval_ms = (uint32_t)wanted;
            return;
        }
        snprintf(expected, sizeof expected, "expected %d to %d", INTERVAL_LOWEST_MS, INTERVAL_HIGHEST_MS);
    } else if (strcmp(name, "battery_low_percent") == 0) {
        if (number(value, 0, 100, &wanted)) {
            settings->battery_low_percent = (unsigned)wanted;
            return;
        }
        snprintf(expected, sizeof expected, "expected 0 to 100");
    } else if (strcmp(name, "waves") == 0) {
        if (take_waves(settings, config, value))
            return;
        snprintf(expected, sizeof expected, "expected waveforms of this device");
    }
    reject(settings, name, value, expected);
}

/* One name twice would make two keys alike in the answer. */
static bool is_rejected(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->rejected_count; i++)
        if (strcmp(settings->rejected[i].setting, name) == 0)
            return true;
    return false;
}

void settings_take(struct settings *settings, const struct config *config, uint32_t rev, struct json_span set)
{
    char name[VITALS_SETTING + 1];
    struct json json = json_in(set.at, set.size);
    settings_deliver(settings, config);
    settings->is_told = true;
    settings->rev = rev;
    for (json_open(&json, '{'); json_next(&json, name, sizeof name);) {
        struct json_span value;
        json_skip(&json, &value);
        make_plain(name);
        if (!json.bad && name[0] != 0 && !is_rejected(settings, name))
            take(settings, config, name, value);
    }
}
