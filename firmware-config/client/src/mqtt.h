/* Packets of MQTT 3.1.1 as far as a device needs them: no state beyond one packet, no I/O. */
#ifndef MQTT_H
#define MQTT_H

#include "bytes.h"

enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK = 2,
    MQTT_PUBLISH = 3,
    MQTT_PUBACK = 4,
    MQTT_SUBSCRIBE = 8,
    MQTT_SUBACK = 9,
    MQTT_PINGREQ = 12,
    MQTT_PINGRESP = 13,
    MQTT_DISCONNECT = 14,
};

/* Bytes that a PUBLISH needs beside topic and payload. */
#define MQTT_PUBLISH_OVERHEAD 9

struct mqtt_message {
    const char *topic;
    const uint8_t *payload;
    size_t size;
    /* 0 for QoS 0, else the packet identifier of QoS 1. */
    uint16_t id;
    bool retain;
    /* It may have been sent before. */
    bool again;
};

/* A connection that keeps its session, with a retained will of QoS 1. The client's name is its user name too. */
void mqtt_connect(struct bytes *out, const char *client, uint16_t keep_alive_s, const struct mqtt_message *will);
void mqtt_publish(struct bytes *out, const struct mqtt_message *message);
void mqtt_puback(struct bytes *out, uint16_t id);
/* Asks for a topic at QoS 1. */
void mqtt_subscribe(struct bytes *out, uint16_t id, const char *topic);
void mqtt_pingreq(struct bytes *out);
void mqtt_disconnect(struct bytes *out);

/* Of a longer packet the rest is passed over. */
#define MQTT_KEPT 2048

/* Puts packets together from bytes that come in pieces. Zeroed at the start of a connection. */
struct mqtt_reader {
    uint8_t head_bytes;
    uint8_t first;
    uint32_t length;
    uint32_t got;
    uint8_t body[MQTT_KEPT];
};

enum mqtt_outcome {
    /* All bytes are read, and no packet is whole yet. */
    MQTT_MORE,
    /* The reader holds a packet; it stays until the next call. */
    MQTT_PACKET,
    /* No broker sends this: close the connection. */
    MQTT_MALFORMED,
};

/* Reads up to the end of one packet and moves `bytes` and `size` on. */
enum mqtt_outcome mqtt_read(struct mqtt_reader *reader, const uint8_t **bytes, size_t *size);
enum mqtt_type mqtt_type_of(const struct mqtt_reader *reader);

/* What a whole packet says. Each is false if the packet is not well-formed. */
bool mqtt_connack(const struct mqtt_reader *reader, bool *session, uint8_t *refusal);
bool mqtt_acknowledged(const struct mqtt_reader *reader, uint16_t *id);
struct mqtt_incoming {
    const uint8_t *topic;
    size_t topic_size;
    const uint8_t *payload;
    size_t size;
    /* 0 if no PUBACK is due. */
    uint16_t id;
    bool retain;
    /* The payload is longer than what was kept of it. */
    bool cut;
};
bool mqtt_incoming(const struct mqtt_reader *reader, struct mqtt_incoming *message);

#endif
