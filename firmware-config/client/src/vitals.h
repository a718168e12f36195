/* The payloads of vitals/v1 in native CBOR. Each function writes one whole payload; `out->full` tells that it did not fit. */
#ifndef VITALS_H
#define VITALS_H

#include "bytes.h"

/* Limits of the contract. */
#define VITALS_CHANNELS 64
#define VITALS_TEXT 64
#define VITALS_SETTING 32
#define VITALS_REJECTED 16

/* What a message is about; the last part of its topic. */
enum vitals_kind { VITALS_BIRTH, VITALS_STATE, VITALS_NUM, VITALS_ALARM, VITALS_EVENT };
const char *vitals_topic(enum vitals_kind kind);
/* Whether the broker keeps the message: nothing measured is ever kept. */
bool vitals_retained(enum vitals_kind kind);

enum quality {
    QUALITY_VALID = 1,
    QUALITY_QUESTIONABLE = 2,
    QUALITY_LEAD_OFF = 4,
    QUALITY_ARTEFACT = 8,
    QUALITY_DEMO = 16,
    QUALITY_CALIBRATING = 32,
};

/* Which message it is: the start it belongs to, its number, and the device's time. */
struct stamp {
    uint32_t boot;
    /* Counts from 1; 0 for a birth or state, which need none. */
    uint32_t seq;
    int64_t unix_ms;
};

/* value = (sample + offset) * mantissa * 10^exponent */
struct scale {
    int exponent;
    int32_t mantissa;
    int32_t offset;
};

/* So many times in so many milliseconds. */
struct rate {
    uint32_t times;
    uint32_t ms;
};

struct channel {
    /* MDC code and its UCUM unit. */
    uint32_t code;
    char unit[16];
    /* Samples of a waveform; of a numeric how often it comes. */
    struct rate rate;
    bool is_wave;
    /* Of a waveform only: what its samples mean, and how many make a block. */
    struct scale scale;
    uint32_t block;
};

struct reading {
    uint32_t code;
    bool has_value;
    int64_t thousandths;
    unsigned quality;
};

/* A setting that is not taken. */
struct rejected {
    char setting[VITALS_SETTING + 1];
    char reason[VITALS_TEXT + 1];
};

/* These return where the eight bytes of the time begin, to be corrected by vitals_set_time. */
size_t vitals_birth(struct bytes *out, struct stamp stamp, const char *model, const char *firmware, const struct channel *channels,
                    size_t count);
size_t vitals_state(struct bytes *out, struct stamp stamp, bool on, const uint32_t *rev, const struct rejected *rejected,
                    size_t count);
size_t vitals_num(struct bytes *out, struct stamp stamp, const struct reading *readings, size_t count);
size_t vitals_battery(struct bytes *out, struct stamp stamp, unsigned percent);
size_t vitals_lead_off(struct bytes *out, struct stamp stamp, uint32_t code, bool off);
size_t vitals_demo(struct bytes *out, struct stamp stamp, bool on);
size_t vitals_button(struct bytes *out, struct stamp stamp);
void vitals_wave(struct bytes *out, struct stamp stamp, const struct channel *channel, const int16_t *samples, size_t count,
                 unsigned quality);
/* What the broker says for a device that vanished: {"on":false}. */
void vitals_will(struct bytes *out);
/* Adds to the time of a written payload. */
void vitals_shift_time(uint8_t *eight_bytes, int64_t by_ms);

#endif
