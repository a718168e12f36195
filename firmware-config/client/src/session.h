/* The MQTT session: connects, comes back after each loss, hands over what the ring holds, hears commands. */
#ifndef SESSION_H
#define SESSION_H

#include "device.h"
#include "mqtt.h"

/* Bytes on their way to the connection; the largest wave block fits. */
#define SESSION_OUT 16384
/* Longest topic: vitals/v1/{site}/{device}/wave/{code}. */
#define SESSION_TOPIC (48 + 2 * CONFIG_NAME)

struct session {
    struct device *device;
    enum { SESSION_DOWN, SESSION_CONNECTING, SESSION_GREETING, SESSION_UP } state;
    struct mqtt_reader reader;
    uint8_t space[SESSION_OUT];
    struct bytes out;
    /* When to try again, and how long to wait after the next failure. */
    int64_t retry_at_ms;
    int64_t wait_ms;
    /* Until when the broker must have said something. */
    int64_t patience_ends_ms;
    int64_t last_sent_ms;
    bool ping_is_out;
    uint32_t connections;
    uint32_t acknowledged;
};

void session_start(struct session *session, struct device *device);
/* Does everything that is possible now. */
void session_step(struct session *session);
/* Whether everything is delivered. */
bool session_is_idle(const struct session *session);
/* Says goodbye, so that the broker does not send the will. */
void session_end(struct session *session);
/* Milliseconds until there is something to do even if nothing comes. */
int64_t session_due_in(const struct session *session);

#endif
