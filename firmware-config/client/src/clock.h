/* The device's clock: how long it runs, and what time it is. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
    int64_t started_ms;
    /* How many times faster than the world the device lives; 1 but in tests. */
    int64_t speed;
    /* From running time to the time of day. */
    int64_t offset_ms;
    /* Whether somebody (NTP) has set the system clock: it shows 2024 or later. */
    bool is_set;
};

void clock_start(struct clock *clock, int64_t speed);
/* Milliseconds since the start. */
int64_t clock_running(const struct clock *clock);
/* Follows the system clock. Returns true when it was set just now: times before that were running times. */
bool clock_follow(struct clock *clock);
/* Milliseconds since 1970-01-01 UTC at a running time; the running time itself while the clock is not set. */
int64_t clock_time(const struct clock *clock, int64_t running_ms);
/* Whether messages are still held back for the clock to be set. */
bool clock_is_awaited(const struct clock *clock);

#endif
