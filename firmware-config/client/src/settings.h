/* The remote configuration: what is desired, what of it is in force, and what is refused with the reason. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "config.h"
#include "json.h"

struct settings {
    uint32_t interval_ms;
    unsigned battery_low_percent;
    /* Which channels of the bundle are sent; numerics always are. */
    bool sends[VITALS_CHANNELS];
    /* The revision, if one was ever told. */
    bool is_told;
    uint32_t rev;
    struct rejected rejected[VITALS_REJECTED];
    size_t rejected_count;
};

/* As the device was delivered. */
void settings_deliver(struct settings *settings, const struct config *config);
/* Takes a revision: its settings where they are possible, all else as delivered. */
void settings_take(struct settings *settings, const struct config *config, uint32_t rev, struct json_span set);

#endif
