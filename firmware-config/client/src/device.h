/* The device: numbers and stamps what is measured, and puts it into the ring. It knows no connection. */
#ifndef DEVICE_H
#define DEVICE_H

#include "clock.h"
#include "config.h"
#include "ring.h"
#include "settings.h"

/* Samples of all waveforms together that wait for their block to be whole. */
#define DEVICE_SAMPLES 16384
/* A wave block as payload: samples and what stands beside them. */
#define DEVICE_WAVE (2 * BLOCK_SAMPLES + 96)

/* Takes a whole wave block; false if there is no connection that could take it. */
typedef bool (*wave_sender)(void *context, uint32_t code, const uint8_t *payload, size_t size);

struct device {
    const struct config *config;
    struct settings settings;
    struct clock clock;
    struct ring ring;
    uint32_t boot;
    /* Number of the last numerics or event, and of the last block of each waveform. */
    uint32_t seq;
    uint32_t wave_seq[VITALS_CHANNELS];
    /* What was measured since the last numerics. */
    struct reading fresh[VITALS_CHANNELS];
    bool is_fresh[VITALS_CHANNELS];
    int64_t numerics_due_ms;
    /* Blocks being filled, and the running time of their first samples. */
    int16_t samples[DEVICE_SAMPLES];
    size_t first_sample[VITALS_CHANNELS];
    size_t filled[VITALS_CHANNELS];
    int64_t block_began_ms[VITALS_CHANNELS];
    /* Charge in percent; -1 before it was measured. */
    int battery_percent;
    bool battery_is_low;
    wave_sender send_wave;
    void *wave_context;
    /* For the report at the end. */
    uint32_t numerics;
    uint32_t waves;
    uint32_t waves_lost;
};

/* How much memory the ring needs for the minutes that the configuration asks for. */
size_t device_store_size(const struct config *config);
/* Starts the device with the memory of its ring; false if the memory or the waveforms do not fit. A birth waits in the ring then. */
bool device_start(struct device *device, const struct config *config, uint8_t *store, size_t size, int64_t speed);
/* To be called often: follows the clock. */
void device_follow(struct device *device);

/* Describes the device; says that it is on or off and how it is configured. */
void device_announce(struct device *device);
void device_report(struct device *device, bool on);
/* Takes a remote configuration, and answers. */
void device_configure(struct device *device, uint32_t rev, struct json_span set);

/* A value was measured; without one, quality says why. A code that is not the device's is ignored. */
void device_measure(struct device *device, uint32_t code, bool has_value, int64_t thousandths, unsigned quality);
/* Running time at which the next numerics are due. */
int64_t device_numerics_due(const struct device *device);
/* Sends what is fresh, stamped with the time at which it was due. */
void device_send_numerics(struct device *device);
/* The next sample of a channel, taken at this running time. */
void device_sample(struct device *device, size_t channel, int16_t sample, int64_t running_ms);
/* The channel of a code; the number of channels if there is none. */
size_t device_channel(const struct device *device, uint32_t code);

void device_lead_off(struct device *device, uint32_t code, bool off);
void device_demo(struct device *device, bool on);
void device_button(struct device *device);

#endif
