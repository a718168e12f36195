/* Where values come from on a host: a generator that is the same in every run, or lines of input. On a device the sensors' drivers
 * call device_measure and device_sample instead. */
#ifndef SOURCE_H
#define SOURCE_H

#include "device.h"

struct source {
    struct device *device;
    bool simulates;
    uint32_t samples[VITALS_CHANNELS];
    uint32_t numerics;
};

/* Brings the device up to now: every value and sample that is due. */
void source_step(struct source *source);
/* One line of input: `CODE VALUE`, `CODE - QUALITY` where there is no value, `lead_off CODE on|off`, `demo on|off` or `button`.
   Returns false if it is none of these. */
bool source_line(struct source *source, const char *line);

#endif
