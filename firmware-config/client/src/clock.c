#include "clock.h"

#include "port.h"

/* 2024-01-01T00:00:00Z: a clock before that was never set. */
static const int64_t PLAUSIBLE_MS = 1704067200000;
/* After this the messages go all the same: a value with a wrong time is worth more than none. */
static const int64_t PATIENCE_MS = 60000;

void clock_start(struct clock *clock, int64_t speed)
{
    *clock = (struct clock){.started_ms = port_monotonic_ms(), .speed = speed};
}

int64_t clock_running(const struct clock *clock)
{
    return (port_monotonic_ms() - clock->started_ms) * clock->speed;
}

bool clock_follow(struct clock *clock)
{
    int64_t now = port_unix_ms();
    bool was_set = clock->is_set;
    if (now < PLAUSIBLE_MS)
        return false;
    /* A device that lives faster begins at the right time and goes its own way. */
    if (!was_set || clock->speed == 1)
        clock->offset_ms = now - clock_running(clock);
    clock->is_set = true;
    return !was_set;
}

int64_t clock_time(const struct clock *clock, int64_t running_ms)
{
    return clock->offset_ms + running_ms;
}

bool clock_is_awaited(const struct clock *clock)
{
    return !clock->is_set && port_monotonic_ms() - clock->started_ms < PATIENCE_MS;
}
