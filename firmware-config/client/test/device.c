/* The device: numbers, starts, its clock, its battery, its waveforms. */
#include "check.h"

#include "device.h"
#include "source.h"

static _Alignas(16) uint8_t store[65536];
static struct device device;
static struct config config = {
    .model = "M1",
    .interval_ms = 1000,
    .buffer_minutes = 10,
    .battery_low_percent = 15,
    .count = 3,
    .channels = {{.code = 149530, .unit = "/min"},
                 {.code = 67996, .unit = "%"},
                 {.code = 131330, .unit = "mV", .is_wave = true, .rate = {250000, 1000000}, .scale = {.mantissa = 1}, .block = 250}},
};

static const int64_t NEW_YEAR_MS = 1767225600000;

static void start(int64_t unix_ms)
{
    fake_unix_ms = unix_ms;
    CHECK(device_start(&device, &config, store, sizeof store, 1));
}

static void pass(int64_t ms)
{
    fake_monotonic_ms += ms;
    fake_unix_ms += ms;
    device_follow(&device);
}

/* The last message in the ring of this kind: its time, and how many there are. */
static unsigned count_of(enum vitals_kind kind, int64_t *time, uint8_t *quality)
{
    struct ring_message message;
    unsigned count = 0;
    ring_rewind(&device.ring);
    for (; ring_next(&device.ring, &message); ring_sent(&device.ring)) {
        if (message.kind != kind)
            continue;
        count++;
        /* The time is the third entry, behind the sequence number: 00 01 01 SEQ 02 1b TIME. */
        const uint8_t *at = memchr(message.payload + 4, 0x1b, message.size);
        uint64_t t = 0;
        for (int i = 1; i <= 8; i++)
            t = t << 8 | at[i];
        if (time != NULL)
            *time = (int64_t)t;
        if (quality != NULL)
            *quality = message.payload[message.size - 1];
    }
    ring_rewind(&device.ring);
    return count;
}

static void a_start_has_a_number_of_its_own_and_counts_up(void)
{
    memset(store, 0, sizeof store);
    start(NEW_YEAR_MS);
    uint32_t boot = device.boot;
    CHECK(count_of(VITALS_BIRTH, NULL, NULL) == 1);
    start(NEW_YEAR_MS);
    CHECK(device.boot == boot + 1 && device.seq == 0);
    CHECK(count_of(VITALS_BIRTH, NULL, NULL) == 2);
    /* A store that was lost does not begin where the first one did. */
    memset(store, 0, sizeof store);
    start(NEW_YEAR_MS);
    CHECK(device.boot != boot && device.boot != boot + 1);
}

static void times_from_before_the_clock_was_set_are_put_right(void)
{
    int64_t time;
    memset(store, 0, sizeof store);
    start(5000);
    pass(1500);
    CHECK(clock_is_awaited(&device.clock));
    device_button(&device);
    CHECK(count_of(VITALS_EVENT, &time, NULL) == 1 && time == 1500);
    fake_unix_ms = NEW_YEAR_MS;
    pass(1000);
    CHECK(!clock_is_awaited(&device.clock));
    CHECK(count_of(VITALS_EVENT, &time, NULL) == 1 && time == NEW_YEAR_MS);
    device_button(&device);
    CHECK(count_of(VITALS_EVENT, &time, NULL) == 2 && time == NEW_YEAR_MS + 1000);
    /* And not a second time. */
    start(5000);
    fake_unix_ms = NEW_YEAR_MS + 50000;
    pass(0);
    CHECK(count_of(VITALS_EVENT, &time, NULL) == 2 && time == NEW_YEAR_MS + 1000);
}

static void without_a_clock_values_go_at_last_and_are_questionable(void)
{
    uint8_t quality;
    memset(store, 0, sizeof store);
    start(5000);
    pass(59999);
    CHECK(clock_is_awaited(&device.clock));
    pass(1);
    CHECK(!clock_is_awaited(&device.clock));
    device_measure(&device, 149530, true, 72000, QUALITY_VALID);
    device_send_numerics(&device);
    CHECK(count_of(VITALS_NUM, NULL, &quality) == 1 && quality == QUALITY_QUESTIONABLE);
}

static void a_low_battery_is_said_once_and_when_it_is_over(void)
{
    memset(store, 0, sizeof store);
    start(NEW_YEAR_MS);
    static const struct {
        int percent;
        unsigned events;
    } steps[] = {{16, 0}, {15, 1}, {14, 1}, {90, 2}, {15, 3}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        device_measure(&device, 67996, true, steps[i].percent * 1000, QUALITY_VALID);
        CHECK(count_of(VITALS_EVENT, NULL, NULL) == steps[i].events);
    }
}

static uint32_t blocks;

static bool count_block(void *context, uint32_t code, const uint8_t *payload, size_t size)
{
    (void)context, (void)payload;
    CHECK(code == 131330 && size > 500);
    blocks++;
    return true;
}

static void a_generator_gives_every_value_and_sample_once(void)
{
    memset(store, 0, sizeof store);
    start(NEW_YEAR_MS);
    struct source source = {.device = &device, .simulates = true};
    device.send_wave = count_block;
    for (int step = 0; step < 1000; step++) {
        pass(37);
        source_step(&source);
    }
    CHECK(device.numerics == 37 && count_of(VITALS_NUM, NULL, NULL) == 37 && blocks == 37 && device.waves == 37);
}

static void lines_of_input_are_read(void)
{
    struct source source = {.device = &device};
    static const char *const good[] = {"149530 72", "149530 - 4", "131330 -12", "lead_off 131330 on", "demo off", "button"};
    static const char *const bad[] = {"", "1 2", "149530", "149530 x", "149530 72 1", "131330 0.5", "lead_off 1 on", "demo", "149530 - 64"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(source_line(&source, good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!source_line(&source, bad[i]));
}

static void the_ring_holds_the_minutes_that_were_asked_for(void)
{
    static _Alignas(16) uint8_t exact[262144];
    size_t size = device_store_size(&config);
    CHECK(size < sizeof exact);
    fake_unix_ms = NEW_YEAR_MS;
    CHECK(device_start(&device, &config, exact, size, 1));
    for (unsigned i = 0; i < config.buffer_minutes * 60; i++) {
        device_measure(&device, 149530, true, 72100, QUALITY_QUESTIONABLE);
        device_measure(&device, 67996, true, 99900, QUALITY_QUESTIONABLE);
        device_send_numerics(&device);
    }
    CHECK(ring_lost(&device.ring) == 0 && count_of(VITALS_NUM, NULL, NULL) == 600);
}

void test_device(void)
{
    a_start_has_a_number_of_its_own_and_counts_up();
    times_from_before_the_clock_was_set_are_put_right();
    without_a_clock_values_go_at_last_and_are_questionable();
    a_low_battery_is_said_once_and_when_it_is_over();
    a_generator_gives_every_value_and_sample_once();
    lines_of_input_are_read();
    the_ring_holds_the_minutes_that_were_asked_for();
}
