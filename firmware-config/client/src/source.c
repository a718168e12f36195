#include "source.h"

#include <stdlib.h>

#include "decimal.h"
#include "port.h"

/* A resting adult, in thousandths: what is measured wanders by `span` around `rest` within some minutes. */
static const struct resting {
    uint32_t code;
    int32_t rest;
    int32_t span;
} RESTING[] = {
    {147842, 72000, 4000}, {149514, 72000, 4000}, {149522, 72000, 4000},  {149530, 72000, 4000},  {149546, 72000, 4000},
    {150456, 97000, 1000}, {151562, 14000, 2000}, {151578, 14000, 2000},  {150344, 36800, 200},   {150364, 36800, 200},
    {150368, 37000, 200},  {150388, 33500, 300},  {150021, 122000, 6000}, {150022, 78000, 4000},  {150023, 93000, 4000},
    {150037, 122000, 6000}, {150038, 78000, 4000}, {150039, 93000, 4000}, {151708, 38000, 1000},  {150488, 2500, 500},
    {67996, 80000, 0},
};

/* -span to span and back in 120 steps. */
static int32_t wander(uint32_t step, int32_t span)
{
    int32_t phase = (int32_t)(step % 120);
    return (phase < 60 ? phase - 30 : 90 - phase) * span / 30;
}

static void measure_all(struct source *source)
{
    for (const struct resting *r = RESTING; r < RESTING + sizeof RESTING / sizeof *RESTING; r++) {
        int32_t value = r->rest + wander(source->numerics + r->code % 60, r->span);
        device_measure(source->device, r->code, true, value - value % 100, QUALITY_VALID);
    }
    source->numerics++;
}

/* The shape of one beat in hundredths of a cycle: a wave before, a sharp peak, a wave behind. */
static int16_t beat(uint32_t hundredth)
{
    if (hundredth < 10)
        return (int16_t)(10 * hundredth);
    if (hundredth < 20)
        return (int16_t)(10 * (20 - hundredth));
    if (hundredth >= 28 && hundredth < 32)
        return (int16_t)(hundredth < 30 ? 500 * (hundredth - 27) : 500 * (32 - hundredth));
    if (hundredth >= 50 && hundredth < 65)
        return (int16_t)(20 * (hundredth - 50));
    if (hundredth >= 65 && hundredth < 80)
        return (int16_t)(20 * (80 - hundredth));
    return 0;
}

/* 72 beats a minute. */
static const uint64_t BEATS = 72, MINUTE_MS = 60000;

static void sample_all(struct source *source, int64_t until_ms)
{
    const struct config *config = source->device->config;
    for (size_t i = 0; i < config->count; i++) {
        const struct channel *channel = &config->channels[i];
        if (!channel->is_wave)
            continue;
        for (;;) {
            uint64_t at_ms = (uint64_t)source->samples[i] * channel->rate.ms / channel->rate.times;
            if ((int64_t)at_ms > until_ms)
                break;
            device_sample(source->device, i, beat((uint32_t)(at_ms * BEATS * 100 / MINUTE_MS % 100)), (int64_t)at_ms);
            source->samples[i]++;
        }
    }
}

static bool on_or_off(const char *word, bool *on)
{
    *on = strcmp(word, "on") == 0;
    return *on || strcmp(word, "off") == 0;
}

static bool event_line(struct device *device, const char *line)
{
    bool on;
    if (strcmp(line, "button") == 0) {
        device_button(device);
        return true;
    }
    if (strncmp(line, "demo ", 5) == 0 && on_or_off(line + 5, &on)) {
        device_demo(device, on);
        return true;
    }
    if (strncmp(line, "lead_off ", 9) == 0) {
        char *rest;
        unsigned long code = strtoul(line + 9, &rest, 10);
        if (*rest != ' ' || device_channel(device, (uint32_t)code) == device->config->count || !on_or_off(rest + 1, &on))
            return false;
        device_lead_off(device, (uint32_t)code, on);
        return true;
    }
    return false;
}

bool source_line(struct source *source, const char *line)
{
    struct device *device = source->device;
    char *rest;
    if (line[0] < '0' || line[0] > '9')
        return event_line(device, line);
    uint32_t code = (uint32_t)strtoul(line, &rest, 10);
    size_t channel = device_channel(device, code);
    if (*rest++ != ' ' || channel == device->config->count)
        return false;
    if (strncmp(rest, "- ", 2) == 0) {
        unsigned long quality = strtoul(rest + 2, &rest, 10);
        if (*rest != 0 || quality > 63)
            return false;
        device_measure(device, code, false, 0, (unsigned)quality);
        return true;
    }
    int64_t value;
    size_t length = decimal_read(rest, strlen(rest), &value);
    if (length == 0 || rest[length] != 0)
        return false;
    if (!device->config->channels[channel].is_wave)
        device_measure(device, code, true, value, QUALITY_VALID);
    else if (value % 1000 == 0 && value / 1000 > INT16_MIN && value / 1000 <= INT16_MAX)
        device_sample(device, channel, (int16_t)(value / 1000), clock_running(&device->clock));
    else
        return false;
    return true;
}

void source_step(struct source *source)
{
    char line[128];
    int64_t now = clock_running(&source->device->clock);
    while (!source->simulates && port_line(line, sizeof line))
        if (!source_line(source, line))
            port_log("A line of input is none of the known ones.");
    if (source->simulates)
        sample_all(source, now);
    while (device_numerics_due(source->device) <= now) {
        if (source->simulates)
            measure_all(source);
        device_send_numerics(source->device);
    }
}
