#include "device.h"

#include "port.h"

#ifndef CLIENT_VERSION
#error "the Makefile gives the version"
#endif

/* MDC_ATTR_VAL_BATT_CHARGE */
static const uint32_t BATTERY = 67996;
/* A reading takes at most this: code, decimal fraction, quality; and a message beside its readings. */
static const size_t READING_BYTES = 20, MESSAGE_BYTES = 32;
/* An event as payload. */
#define EVENT_BYTES 96
/* Room for births, states and events beside the numerics, in numerics. */
static const size_t OTHERS = 64;

size_t device_store_size(const struct config *config)
{
    size_t numerics = 0;
    for (size_t i = 0; i < config->count; i++)
        numerics += !config->channels[i].is_wave;
    size_t message = RING_ENTRY + MESSAGE_BYTES + READING_BYTES * numerics;
    size_t messages = (size_t)config->buffer_minutes * 60000 / config->interval_ms + 1 + OTHERS;
    return RING_HEADER + 2 * (RING_ENTRY + RING_MESSAGE) + messages * message;
}

static bool lay_out_blocks(struct device *device)
{
    size_t used = 0;
    for (size_t i = 0; i < device->config->count; i++) {
        device->first_sample[i] = used;
        used += device->config->channels[i].block;
    }
    return used <= DEVICE_SAMPLES;
}

bool device_start(struct device *device, const struct config *config, uint8_t *store, size_t size, int64_t speed)
{
    *device = (struct device){.config = config, .battery_percent = -1};
    if (!ring_open(&device->ring, store, size) || !lay_out_blocks(device))
        return false;
    /* A store that is new, or was lost, begins at a number that no former start had: what is sent under a start that was heard
       before would be taken for a repetition. */
    uint32_t boot = ring_boot(&device->ring) + 1;
    if (boot == 1)
        port_random((uint8_t *)&boot, sizeof boot);
    device->boot = boot;
    ring_set_boot(&device->ring, boot);
    ring_give_up_times(&device->ring);
    settings_deliver(&device->settings, config);
    clock_start(&device->clock, speed);
    clock_follow(&device->clock);
    device->numerics_due_ms = config->interval_ms;
    device_announce(device);
    return true;
}

void device_follow(struct device *device)
{
    if (clock_follow(&device->clock))
        ring_correct_times(&device->ring, device->clock.offset_ms);
}

static struct stamp unnumbered_stamp(const struct device *device)
{
    return (struct stamp){.boot = device->boot, .unix_ms = clock_time(&device->clock, clock_running(&device->clock))};
}

static struct stamp next_stamp(struct device *device, int64_t running_ms)
{
    return (struct stamp){.boot = device->boot, .seq = ++device->seq, .unix_ms = clock_time(&device->clock, running_ms)};
}

static struct stamp stamp_now(struct device *device)
{
    return next_stamp(device, clock_running(&device->clock));
}

static void keep(struct device *device, enum vitals_kind kind, const struct bytes *payload, size_t time_at)
{
    if (payload->full)
        port_log("A message was too long and is lost.");
    else
        ring_add(&device->ring, (uint8_t)kind, payload->at, payload->used, time_at, device->clock.is_set);
}

void device_announce(struct device *device)
{
    static struct channel channels[VITALS_CHANNELS];
    uint8_t space[RING_MESSAGE];
    struct bytes payload = bytes_in(space, sizeof space);
    size_t count = 0;
    for (size_t i = 0; i < device->config->count; i++) {
        if (!device->settings.sends[i])
            continue;
        channels[count] = device->config->channels[i];
        if (!channels[count].is_wave)
            channels[count].rate = (struct rate){1, device->settings.interval_ms};
        count++;
    }
    size_t time_at = vitals_birth(&payload, unnumbered_stamp(device), device->config->model, CLIENT_VERSION, channels, count);
    keep(device, VITALS_BIRTH, &payload, time_at);
}

void device_report(struct device *device, bool on)
{
    const struct settings *settings = &device->settings;
    uint8_t space[RING_MESSAGE];
    struct bytes payload = bytes_in(space, sizeof space);
    size_t time_at = vitals_state(&payload, unnumbered_stamp(device), on, settings->is_told ? &settings->rev : NULL, settings->rejected,
                                  settings->rejected_count);
    keep(device, VITALS_STATE, &payload, time_at);
}

/* Says the charge when it becomes low, and when it is no longer. */
static void watch_battery(struct device *device)
{
    bool is_low = device->battery_percent >= 0 && (unsigned)device->battery_percent <= device->settings.battery_low_percent;
    if (is_low != device->battery_is_low) {
        uint8_t space[EVENT_BYTES];
        struct bytes payload = bytes_in(space, sizeof space);
        size_t time_at = vitals_battery(&payload, stamp_now(device), (unsigned)device->battery_percent);
        keep(device, VITALS_EVENT, &payload, time_at);
    }
    device->battery_is_low = is_low;
}

void device_configure(struct device *device, uint32_t rev, struct json_span set)
{
    struct settings before = device->settings, *now = &device->settings;
    settings_take(now, device->config, rev, set);
    port_log("Configuration %u is in force, %zu settings of it are refused.", (unsigned)rev, now->rejected_count);
    bool sends_other = memcmp(before.sends, now->sends, sizeof now->sends) != 0;
    if (before.interval_ms != now->interval_ms)
        device->numerics_due_ms = clock_running(&device->clock) + now->interval_ms;
    if (sends_other || before.interval_ms != now->interval_ms)
        device_announce(device);
    device_report(device, true);
    watch_battery(device);
}

size_t device_channel(const struct device *device, uint32_t code)
{
    size_t i = 0;
    while (i < device->config->count && device->config->channels[i].code != code)
        i++;
    return i;
}

void device_measure(struct device *device, uint32_t code, bool has_value, int64_t thousandths, unsigned quality)
{
    size_t i = device_channel(device, code);
    if (i == device->config->count || device->config->channels[i].is_wave)
        return;
    device->fresh[i] = (struct reading){code, has_value, thousandths, quality};
    device->is_fresh[i] = true;
    if (code == BATTERY && has_value && thousandths >= 0 && thousandths <= 100000) {
        device->battery_percent = (int)(thousandths / 1000);
        watch_battery(device);
    }
}

int64_t device_numerics_due(const struct device *device)
{
    return device->numerics_due_ms;
}

void device_send_numerics(struct device *device)
{
    struct reading readings[VITALS_CHANNELS];
    size_t count = 0;
    /* Nobody set the clock in time: what is said about when is in doubt, and so marked. */
    bool in_doubt = !device->clock.is_set && !clock_is_awaited(&device->clock);
    for (size_t i = 0; i < device->config->count; i++) {
        if (!device->is_fresh[i])
            continue;
        readings[count] = device->fresh[i];
        if (in_doubt && readings[count].quality == QUALITY_VALID)
            readings[count].quality = QUALITY_QUESTIONABLE;
        count++;
        device->is_fresh[i] = false;
    }
    int64_t due = device->numerics_due_ms;
    device->numerics_due_ms += device->settings.interval_ms;
    if (count == 0)
        return;
    uint8_t space[RING_MESSAGE];
    struct bytes payload = bytes_in(space, sizeof space);
    size_t time_at = vitals_num(&payload, next_stamp(device, due), readings, count);
    keep(device, VITALS_NUM, &payload, time_at);
    device->numerics++;
}

static void send_block(struct device *device, size_t i)
{
    uint8_t space[DEVICE_WAVE];
    struct bytes payload = bytes_in(space, sizeof space);
    const struct channel *channel = &device->config->channels[i];
    struct stamp stamp = {
        .boot = device->boot,
        .seq = ++device->wave_seq[i],
        .unix_ms = clock_time(&device->clock, device->block_began_ms[i]),
    };
    vitals_wave(&payload, stamp, channel, device->samples + device->first_sample[i], channel->block, QUALITY_VALID);
    bool sent = device->send_wave != NULL && device->send_wave(device->wave_context, channel->code, space, payload.used);
    device->waves += sent;
    device->waves_lost += !sent;
}

void device_sample(struct device *device, size_t i, int16_t sample, int64_t running_ms)
{
    const struct channel *channel = &device->config->channels[i];
    if (i >= device->config->count || !channel->is_wave || !device->settings.sends[i])
        return;
    if (device->filled[i] == 0)
        device->block_began_ms[i] = running_ms;
    device->samples[device->first_sample[i] + device->filled[i]++] = sample;
    if (device->filled[i] == channel->block) {
        send_block(device, i);
        device->filled[i] = 0;
    }
}

void device_lead_off(struct device *device, uint32_t code, bool off)
{
    uint8_t space[EVENT_BYTES];
    struct bytes payload = bytes_in(space, sizeof space);
    size_t time_at = vitals_lead_off(&payload, stamp_now(device), code, off);
    keep(device, VITALS_EVENT, &payload, time_at);
}

void device_demo(struct device *device, bool on)
{
    uint8_t space[EVENT_BYTES];
    struct bytes payload = bytes_in(space, sizeof space);
    size_t time_at = vitals_demo(&payload, stamp_now(device), on);
    keep(device, VITALS_EVENT, &payload, time_at);
}

void device_button(struct device *device)
{
    uint8_t space[EVENT_BYTES];
    struct bytes payload = bytes_in(space, sizeof space);
    size_t time_at = vitals_button(&payload, stamp_now(device));
    keep(device, VITALS_EVENT, &payload, time_at);
}
