#include "session.h"

#include <inttypes.h>
#include <stdio.h>

#include "command.h"
#include "net.h"
#include "port.h"

/* Wait after a failed connection: it doubles from the first to the last, and a random part keeps a ward's devices from coming all
   at once. */
static const int64_t FIRST_WAIT_MS = 500, LAST_WAIT_MS = 30000;
/* A connection must stand, and be greeted, within this. */
static const int64_t CONNECT_MS = 10000;
/* While the clock is not set we look again this often. */
static const int64_t CLOCK_LOOK_MS = 1000;
/* Messages underway without their PUBACK. */
static const unsigned WINDOW = 256;
/* Of the subscription; the ring leaves it free. */
static const uint16_t SUBSCRIPTION = UINT16_MAX;
/* Room that stays free in the output for PUBACK, PINGREQ and the like. */
static const size_t RESERVE = 64;

static void topic_of(const struct session *session, const char *last, char *topic)
{
    const struct config *config = session->device->config;
    snprintf(topic, SESSION_TOPIC, "vitals/v1/%s/%s/%s", config->site, config->device, last);
}

static void lose(struct session *session, const char *why)
{
    net_close();
    uint16_t part;
    port_random((uint8_t *)&part, sizeof part);
    int64_t wait = session->wait_ms / 2 + session->wait_ms * part / (2 * UINT16_MAX);
    session->retry_at_ms = port_monotonic_ms() + wait;
    session->wait_ms = session->wait_ms * 2 < LAST_WAIT_MS ? session->wait_ms * 2 : LAST_WAIT_MS;
    session->state = SESSION_DOWN;
    port_log("No connection: %s. Next attempt in %" PRId64 " ms.", why, wait);
}

static bool send_wave(void *context, uint32_t code, const uint8_t *payload, size_t size)
{
    struct session *session = context;
    char last[24], topic[SESSION_TOPIC];
    if (session->state != SESSION_UP)
        return false;
    snprintf(last, sizeof last, "wave/%" PRIu32, code);
    topic_of(session, last, topic);
    if (session->out.size - session->out.used < size + strlen(topic) + MQTT_PUBLISH_OVERHEAD + RESERVE)
        return false;
    mqtt_publish(&session->out, &(struct mqtt_message){.topic = topic, .payload = payload, .size = size});
    return true;
}

void session_start(struct session *session, struct device *device)
{
    *session = (struct session){.device = device, .wait_ms = FIRST_WAIT_MS};
    device->send_wave = send_wave;
    device->wave_context = session;
}

static void begin(struct session *session)
{
    session->reader = (struct mqtt_reader){0};
    session->out = bytes_in(session->space, sizeof session->space);
    session->ping_is_out = false;
    session->patience_ends_ms = port_monotonic_ms() + CONNECT_MS;
    session->state = SESSION_CONNECTING;
    if (!net_open(session->device->config))
        lose(session, "it cannot be begun");
}

static void greet(struct session *session)
{
    const struct config *config = session->device->config;
    char topic[SESSION_TOPIC];
    uint8_t space[8];
    struct bytes payload = bytes_in(space, sizeof space);
    topic_of(session, vitals_topic(VITALS_STATE), topic);
    vitals_will(&payload);
    struct mqtt_message will = {.topic = topic, .payload = space, .size = payload.used};
    mqtt_connect(&session->out, config->device, config->keep_alive_s, &will);
    session->state = SESSION_GREETING;
}

/* The broker has taken us: the session is as it was, or new. Either way what was not confirmed goes again. */
static void welcome(struct session *session)
{
    struct device *device = session->device;
    char topic[SESSION_TOPIC];
    topic_of(session, "cmd", topic);
    mqtt_subscribe(&session->out, SUBSCRIPTION, topic);
    if (device->ring.lost_kinds & (1U << VITALS_BIRTH))
        device_announce(device);
    device->ring.lost_kinds = 0;
    /* The broker may have said our will. */
    device_report(device, true);
    ring_rewind(&device->ring);
    session->state = SESSION_UP;
    session->wait_ms = FIRST_WAIT_MS;
    session->connections++;
    port_log("Connected.");
}

static bool is_for_us(const struct session *session, const struct mqtt_incoming *message)
{
    char topic[SESSION_TOPIC];
    topic_of(session, "cmd", topic);
    return message->topic_size == strlen(topic) && memcmp(message->topic, topic, message->topic_size) == 0;
}

static bool hear(struct session *session)
{
    struct mqtt_incoming message;
    if (!mqtt_incoming(&session->reader, &message))
        return false;
    if (message.id != 0)
        mqtt_puback(&session->out, message.id);
    if (session->out.full)
        return false;
    if (message.cut)
        port_log("A command that is too long is ignored.");
    else if (message.retain)
        port_log("A command that the broker had kept is ignored: it may be old.");
    else if (is_for_us(session, &message))
        command_obey(session->device, message.payload, message.size);
    return true;
}

/* Does what a packet asks for; returns what is wrong with it, or NULL. */
static const char *take(struct session *session)
{
    bool kept;
    uint8_t refusal;
    uint16_t id;
    if (session->state == SESSION_GREETING) {
        if (mqtt_type_of(&session->reader) != MQTT_CONNACK || !mqtt_connack(&session->reader, &kept, &refusal))
            return "it does not speak MQTT 3.1.1";
        if (refusal != 0)
            return "the broker refuses this device";
        welcome(session);
        return NULL;
    }
    switch (mqtt_type_of(&session->reader)) {
    case MQTT_PUBACK:
        if (!mqtt_acknowledged(&session->reader, &id))
            return "a PUBACK that is not well-formed";
        session->acknowledged += ring_acknowledged(&session->device->ring, id);
        return NULL;
    case MQTT_PUBLISH:
        return hear(session) ? NULL : "a message that is not well-formed";
    case MQTT_SUBACK:
        return NULL;
    case MQTT_PINGRESP:
        session->ping_is_out = false;
        return NULL;
    default:
        return "a packet that no broker sends";
    }
}

static const char *receive(struct session *session)
{
    uint8_t space[1024];
    for (;;) {
        int got = net_receive(space, sizeof space);
        if (got <= 0)
            return got < 0 ? "the broker closed it" : NULL;
        session->patience_ends_ms = port_monotonic_ms() + 1500LL * session->device->config->keep_alive_s;
        const uint8_t *bytes = space;
        size_t size = (size_t)got;
        enum mqtt_outcome outcome;
        while ((outcome = mqtt_read(&session->reader, &bytes, &size)) == MQTT_PACKET) {
            const char *fault = take(session);
            if (fault != NULL)
                return fault;
        }
        if (outcome == MQTT_MALFORMED)
            return "what came is no MQTT";
    }
}

/* Hands over messages while the window and the output have room. */
static void fill(struct session *session)
{
    struct ring *ring = &session->device->ring;
    struct ring_message message;
    char topic[SESSION_TOPIC];
    while (ring->underway < WINDOW && ring_next(ring, &message)) {
        topic_of(session, vitals_topic((enum vitals_kind)message.kind), topic);
        if (session->out.size - session->out.used < message.size + strlen(topic) + MQTT_PUBLISH_OVERHEAD + RESERVE)
            return;
        mqtt_publish(&session->out, &(struct mqtt_message){
                                        .topic = topic,
                                        .payload = message.payload,
                                        .size = message.size,
                                        .id = message.id,
                                        .retain = vitals_retained((enum vitals_kind)message.kind),
                                        .again = message.again,
                                    });
        ring_sent(ring);
    }
}

static const char *flush(struct session *session)
{
    while (session->out.used > 0) {
        int sent = net_send(session->out.at, session->out.used);
        if (sent <= 0)
            return sent < 0 ? "it broke" : NULL;
        session->out.used -= (size_t)sent;
        memmove(session->out.at, session->out.at + sent, session->out.used);
        session->out.full = false;
        session->last_sent_ms = port_monotonic_ms();
    }
    return NULL;
}

static const char *keep_alive(struct session *session)
{
    int64_t now = port_monotonic_ms();
    if (now >= session->patience_ends_ms)
        return "the broker is silent";
    int64_t half = 500LL * session->device->config->keep_alive_s;
    /* Asks also when only we were talking: it is the answer that tells whether somebody is there. */
    bool quiet = now - session->last_sent_ms >= half || session->patience_ends_ms - now <= 2 * half;
    if (session->state == SESSION_UP && quiet && !session->ping_is_out) {
        mqtt_pingreq(&session->out);
        session->ping_is_out = true;
    }
    return NULL;
}

static const char *exchange(struct session *session)
{
    const char *fault = receive(session);
    if (fault == NULL)
        fault = keep_alive(session);
    if (fault == NULL && session->state == SESSION_UP)
        fill(session);
    return fault == NULL ? flush(session) : fault;
}

void session_step(struct session *session)
{
    int64_t now = port_monotonic_ms();
    if (session->state == SESSION_DOWN && now >= session->retry_at_ms && !clock_is_awaited(&session->device->clock))
        begin(session);
    if (session->state == SESSION_CONNECTING) {
        enum net_state state = net_progress();
        if (state == NET_FAILED || now >= session->patience_ends_ms)
            lose(session, state == NET_FAILED ? "the broker does not answer" : "the broker takes too long");
        else if (state == NET_READY)
            greet(session);
    }
    if (session->state == SESSION_GREETING || session->state == SESSION_UP) {
        const char *fault = exchange(session);
        if (fault != NULL)
            lose(session, fault);
    }
}

bool session_is_idle(const struct session *session)
{
    return session->state == SESSION_UP && session->out.used == 0 && ring_is_empty(&session->device->ring);
}

void session_end(struct session *session)
{
    if (session->state == SESSION_UP) {
        mqtt_disconnect(&session->out);
        flush(session);
    }
    net_close();
    session->state = SESSION_DOWN;
}

int64_t session_due_in(const struct session *session)
{
    int64_t now = port_monotonic_ms();
    if (session->state != SESSION_DOWN)
        return 250LL * session->device->config->keep_alive_s;
    int64_t wait = session->retry_at_ms > now ? session->retry_at_ms - now : 0;
    return clock_is_awaited(&session->device->clock) && wait < CLOCK_LOOK_MS ? CLOCK_LOOK_MS : wait;
}
