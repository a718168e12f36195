#include "vitals.h"

#include "cbor.h"

/* The contract's keys. */
enum key {
    VERSION = 0,
    SEQ = 1,
    TIME = 2,
    READINGS = 3,
    CODE = 4,
    RATE = 5,
    SCALE = 6,
    OFFSET = 7,
    SAMPLES = 8,
    BOOT = 9,
    QUALITY = 10,
    ON = 11,
    MODEL = 12,
    FIRMWARE = 13,
    CHANNELS = 14,
    UNIT = 15,
    EVENT = 20,
    VALUE = 21,
    REVISION = 22,
    REJECTED = 23,
};

const char *vitals_topic(enum vitals_kind kind)
{
    static const char *const names[] = {"birth", "state", "num", "alarm", "event"};
    return names[kind];
}

bool vitals_retained(enum vitals_kind kind)
{
    return kind == VITALS_BIRTH || kind == VITALS_STATE;
}

/* Opens the map of a message with `more` entries beside version, number, time and boot. */
static size_t begin(struct bytes *out, struct stamp stamp, size_t more)
{
    bool is_numbered = stamp.seq != 0;
    cbor_map(out, 3U + is_numbered + more);
    cbor_int(out, VERSION);
    cbor_int(out, 1);
    if (is_numbered) {
        cbor_int(out, SEQ);
        cbor_int(out, stamp.seq);
    }
    cbor_int(out, TIME);
    size_t time_at = cbor_time(out, stamp.unix_ms);
    cbor_int(out, BOOT);
    cbor_int(out, stamp.boot);
    return time_at;
}

static void rate(struct bytes *out, struct rate rate)
{
    uint64_t thousandfold = (uint64_t)rate.times * 1000;
    cbor_int(out, RATE);
    if (thousandfold % rate.ms == 0)
        cbor_int(out, (int64_t)(thousandfold / rate.ms));
    else
        cbor_float(out, (float)rate.times * 1000.0F / (float)rate.ms);
}

static void scale(struct bytes *out, struct scale scale)
{
    cbor_int(out, SCALE);
    cbor_array(out, 2);
    cbor_int(out, scale.exponent);
    cbor_int(out, scale.mantissa);
    cbor_int(out, OFFSET);
    cbor_int(out, scale.offset);
}

size_t vitals_birth(struct bytes *out, struct stamp stamp, const char *model, const char *firmware, const struct channel *channels,
                    size_t count)
{
    size_t time_at = begin(out, stamp, 3);
    cbor_int(out, MODEL);
    cbor_text(out, model);
    cbor_int(out, FIRMWARE);
    cbor_text(out, firmware);
    cbor_int(out, CHANNELS);
    cbor_array(out, count);
    for (const struct channel *c = channels; c < channels + count; c++) {
        cbor_map(out, c->is_wave ? 5 : 3);
        cbor_int(out, CODE);
        cbor_int(out, c->code);
        rate(out, c->rate);
        if (c->is_wave)
            scale(out, c->scale);
        cbor_int(out, UNIT);
        cbor_text(out, c->unit);
    }
    return time_at;
}

size_t vitals_state(struct bytes *out, struct stamp stamp, bool on, const uint32_t *rev, const struct rejected *rejected,
                    size_t count)
{
    size_t time_at = begin(out, stamp, 1U + (rev != NULL) + (count > 0));
    cbor_int(out, ON);
    cbor_bool(out, on);
    if (rev != NULL) {
        cbor_int(out, REVISION);
        cbor_int(out, *rev);
    }
    if (count > 0) {
        cbor_int(out, REJECTED);
        cbor_map(out, count);
        for (const struct rejected *r = rejected; r < rejected + count; r++) {
            cbor_text(out, r->setting);
            cbor_text(out, r->reason);
        }
    }
    return time_at;
}

size_t vitals_num(struct bytes *out, struct stamp stamp, const struct reading *readings, size_t count)
{
    size_t time_at = begin(out, stamp, 1);
    cbor_int(out, READINGS);
    cbor_array(out, count);
    for (const struct reading *r = readings; r < readings + count; r++) {
        bool plain = r->quality == QUALITY_VALID;
        cbor_array(out, plain ? 2 : 3);
        cbor_int(out, r->code);
        if (r->has_value)
            cbor_thousandths(out, r->thousandths);
        else
            cbor_null(out);
        if (!plain)
            cbor_int(out, r->quality);
    }
    return time_at;
}

static void event(struct bytes *out, const char *name)
{
    cbor_int(out, EVENT);
    cbor_text(out, name);
}

size_t vitals_battery(struct bytes *out, struct stamp stamp, unsigned percent)
{
    size_t time_at = begin(out, stamp, 2);
    event(out, "battery");
    cbor_int(out, VALUE);
    cbor_int(out, percent);
    return time_at;
}

size_t vitals_lead_off(struct bytes *out, struct stamp stamp, uint32_t code, bool off)
{
    size_t time_at = begin(out, stamp, 3);
    cbor_int(out, CODE);
    cbor_int(out, code);
    cbor_int(out, ON);
    cbor_bool(out, off);
    event(out, "lead_off");
    return time_at;
}

size_t vitals_demo(struct bytes *out, struct stamp stamp, bool on)
{
    size_t time_at = begin(out, stamp, 2);
    cbor_int(out, ON);
    cbor_bool(out, on);
    event(out, "demo");
    return time_at;
}

size_t vitals_button(struct bytes *out, struct stamp stamp)
{
    size_t time_at = begin(out, stamp, 1);
    event(out, "button");
    return time_at;
}

void vitals_wave(struct bytes *out, struct stamp stamp, const struct channel *channel, const int16_t *samples, size_t count,
                 unsigned quality)
{
    bool plain = quality == QUALITY_VALID;
    begin(out, stamp, plain ? 5 : 6);
    cbor_int(out, CODE);
    cbor_int(out, channel->code);
    rate(out, channel->rate);
    scale(out, channel->scale);
    cbor_int(out, SAMPLES);
    cbor_samples(out, samples, count);
    if (!plain) {
        cbor_int(out, QUALITY);
        cbor_int(out, quality);
    }
}

void vitals_will(struct bytes *out)
{
    cbor_map(out, 1);
    cbor_int(out, ON);
    cbor_bool(out, false);
}

void vitals_shift_time(uint8_t *eight_bytes, int64_t by_ms)
{
    uint64_t time = 0;
    for (int i = 0; i < 8; i++)
        time = time << 8 | eight_bytes[i];
    struct bytes out = bytes_in(eight_bytes, 8);
    bytes_put_number(&out, time + (uint64_t)by_ms, 8);
}
