/* What the agent says on `cmd`. */
#ifndef COMMAND_H
#define COMMAND_H

#include "device.h"

/* Does what a command says; one that is unknown or not well-formed is logged and ignored. */
void command_obey(struct device *device, const uint8_t *payload, size_t size);

#endif
