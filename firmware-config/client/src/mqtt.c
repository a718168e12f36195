#include "mqtt.h"

static const uint8_t LEVEL_3_1_1 = 4;
static const uint8_t WILL = 0x04, WILL_QOS_1 = 0x08, WILL_RETAIN = 0x20, USER_NAME = 0x80;
static const uint8_t RETAIN = 0x01, QOS_1 = 0x02, QOS_2 = 0x04, AGAIN = 0x08;
/* A remaining length has at most four bytes. */
static const uint8_t LONGEST_HEAD = 5;

static void fixed_header(struct bytes *out, enum mqtt_type type, uint8_t flags, size_t length)
{
    bytes_put_byte(out, (uint8_t)(type << 4 | flags));
    do {
        uint8_t low = length & 0x7f;
        length >>= 7;
        bytes_put_byte(out, length > 0 ? low | 0x80 : low);
    } while (length > 0);
}

static void field(struct bytes *out, const void *content, size_t size)
{
    bytes_put_number(out, size, 2);
    bytes_put(out, content, size);
}

static void text(struct bytes *out, const char *content)
{
    field(out, content, strlen(content));
}

/* Takes back a packet that did not fit as a whole. */
static void whole_or_nothing(struct bytes *out, size_t before)
{
    if (out->full)
        out->used = before;
}

void mqtt_connect(struct bytes *out, const char *client, uint16_t keep_alive_s, const struct mqtt_message *will)
{
    size_t before = out->used, name = 2 + strlen(client);
    fixed_header(out, MQTT_CONNECT, 0, 10 + name + 2 + strlen(will->topic) + 2 + will->size + name);
    text(out, "MQTT");
    bytes_put_byte(out, LEVEL_3_1_1);
    bytes_put_byte(out, USER_NAME | WILL_RETAIN | WILL_QOS_1 | WILL);
    bytes_put_number(out, keep_alive_s, 2);
    text(out, client);
    text(out, will->topic);
    field(out, will->payload, will->size);
    text(out, client);
    whole_or_nothing(out, before);
}

void mqtt_publish(struct bytes *out, const struct mqtt_message *message)
{
    size_t before = out->used;
    uint8_t flags = (message->retain ? RETAIN : 0) | (message->id ? QOS_1 : 0) | (message->again ? AGAIN : 0);
    fixed_header(out, MQTT_PUBLISH, flags, 2 + strlen(message->topic) + (message->id ? 2 : 0) + message->size);
    text(out, message->topic);
    if (message->id)
        bytes_put_number(out, message->id, 2);
    bytes_put(out, message->payload, message->size);
    whole_or_nothing(out, before);
}

void mqtt_puback(struct bytes *out, uint16_t id)
{
    size_t before = out->used;
    fixed_header(out, MQTT_PUBACK, 0, 2);
    bytes_put_number(out, id, 2);
    whole_or_nothing(out, before);
}

void mqtt_subscribe(struct bytes *out, uint16_t id, const char *topic)
{
    size_t before = out->used;
    fixed_header(out, MQTT_SUBSCRIBE, QOS_1, 2 + 2 + strlen(topic) + 1);
    bytes_put_number(out, id, 2);
    text(out, topic);
    bytes_put_byte(out, 1);
    whole_or_nothing(out, before);
}

void mqtt_pingreq(struct bytes *out)
{
    size_t before = out->used;
    fixed_header(out, MQTT_PINGREQ, 0, 0);
    whole_or_nothing(out, before);
}

void mqtt_disconnect(struct bytes *out)
{
    size_t before = out->used;
    fixed_header(out, MQTT_DISCONNECT, 0, 0);
    whole_or_nothing(out, before);
}

/* Takes one byte of the fixed header; false if it cannot be. */
static bool read_head(struct mqtt_reader *reader, uint8_t byte)
{
    if (reader->head_bytes == 0) {
        reader->first = byte;
        reader->length = 0;
        reader->got = 0;
    } else {
        reader->length |= (uint32_t)(byte & 0x7f) << (7 * (reader->head_bytes - 1));
    }
    reader->head_bytes++;
    return reader->head_bytes < LONGEST_HEAD || (byte & 0x80) == 0;
}

enum mqtt_outcome mqtt_read(struct mqtt_reader *reader, const uint8_t **bytes, size_t *size)
{
    bool head_ended = reader->head_bytes > LONGEST_HEAD;
    if (head_ended && reader->got == reader->length)
        reader->head_bytes = 0; /* The packet of the last call. */
    while (*size > 0 && reader->head_bytes <= LONGEST_HEAD) {
        uint8_t byte = *(*bytes)++;
        --*size;
        bool is_first = reader->head_bytes == 0;
        if (!read_head(reader, byte))
            return MQTT_MALFORMED;
        if (!is_first && (byte & 0x80) == 0)
            reader->head_bytes = LONGEST_HEAD + 1;
    }
    if (reader->head_bytes <= LONGEST_HEAD)
        return MQTT_MORE;
    size_t taken = reader->length - reader->got;
    taken = taken < *size ? taken : *size;
    if (reader->got < MQTT_KEPT) {
        size_t room = MQTT_KEPT - reader->got;
        memcpy(reader->body + reader->got, *bytes, taken < room ? taken : room);
    }
    *bytes += taken;
    *size -= taken;
    reader->got += (uint32_t)taken;
    return reader->got == reader->length ? MQTT_PACKET : MQTT_MORE;
}

enum mqtt_type mqtt_type_of(const struct mqtt_reader *reader)
{
    return (enum mqtt_type)(reader->first >> 4);
}

static uint16_t number_at(const struct mqtt_reader *reader, size_t at)
{
    return (uint16_t)(reader->body[at] << 8 | reader->body[at + 1]);
}

bool mqtt_connack(const struct mqtt_reader *reader, bool *session, uint8_t *refusal)
{
    if (reader->length != 2)
        return false;
    *session = reader->body[0] & 1;
    *refusal = reader->body[1];
    return true;
}

bool mqtt_acknowledged(const struct mqtt_reader *reader, uint16_t *id)
{
    if (reader->length < 2)
        return false;
    *id = number_at(reader, 0);
    return true;
}

bool mqtt_incoming(const struct mqtt_reader *reader, struct mqtt_incoming *message)
{
    size_t kept = reader->length < MQTT_KEPT ? reader->length : MQTT_KEPT;
    if (kept < 2 || (reader->first & QOS_2))
        return false; /* Nothing was subscribed at QoS 2. */
    size_t topic = number_at(reader, 0);
    bool has_id = reader->first & QOS_1;
    size_t begin = 2 + topic + (has_id ? 2 : 0);
    if (begin > kept)
        return false;
    *message = (struct mqtt_incoming){
        .topic = reader->body + 2,
        .topic_size = topic,
        .payload = reader->body + begin,
        .size = kept - begin,
        .id = has_id ? number_at(reader, 2 + topic) : 0,
        .retain = reader->first & RETAIN,
        .cut = reader->length > MQTT_KEPT,
    };
    return !has_id || message->id != 0;
}
