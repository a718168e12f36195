/* Packets, and a reader that survives any bytes in any pieces. */
#include "check.h"

#include "mqtt.h"

static struct mqtt_reader reader;

/* Feeds bytes in pieces of this size; returns the last outcome and counts packets. */
static enum mqtt_outcome feed(const uint8_t *bytes, size_t size, size_t piece, unsigned *packets)
{
    enum mqtt_outcome outcome = MQTT_MORE;
    reader = (struct mqtt_reader){0};
    while (size > 0) {
        size_t now = piece < size ? piece : size;
        const uint8_t *at = bytes;
        size_t left = now;
        while ((outcome = mqtt_read(&reader, &at, &left)) == MQTT_PACKET)
            ++*packets;
        if (outcome == MQTT_MALFORMED)
            return outcome;
        CHECK(left == 0);
        bytes += now;
        size -= now;
    }
    return outcome;
}

static void a_connection_is_written_as_the_standard_has_it(void)
{
    uint8_t space[64];
    struct bytes out = bytes_in(space, sizeof space);
    struct mqtt_message will = {.topic = "s", .payload = (const uint8_t *)"\xa1\x0b\xf4", .size = 3};
    mqtt_connect(&out, "m1", 30, &will);
    static const char expected[] = "\x10\x1a\0\4MQTT\4\xac\0\x1e\0\2m1\0\1s\0\3\xa1\x0b\xf4\0\2m1";
    CHECK(out.used == sizeof expected - 1 && memcmp(space, expected, out.used) == 0);
}

static void what_is_written_reads_back_in_any_pieces(void)
{
    static uint8_t payload[5000];
    static uint8_t space[8192];
    for (size_t size = 0; size <= sizeof payload; size += 100 + size / 7) {
        struct mqtt_message message = {.topic = "a/b", .payload = payload, .size = size, .id = 7, .retain = true};
        struct bytes out = bytes_in(space, sizeof space);
        mqtt_publish(&out, &message);
        mqtt_pingreq(&out);
        CHECK(!out.full);
        for (size_t piece = 1; piece < 5000; piece += 1 + piece) {
            unsigned packets = 0;
            feed(space, out.used, piece, &packets);
            CHECK(packets == 2 && mqtt_type_of(&reader) == MQTT_PINGREQ);
        }
        unsigned packets = 0;
        feed(space, out.used - 2, out.used, &packets);
        struct mqtt_incoming incoming;
        CHECK(packets == 1 && mqtt_incoming(&reader, &incoming));
        CHECK(incoming.id == 7 && incoming.retain && incoming.topic_size == 3 && memcmp(incoming.topic, "a/b", 3) == 0);
        CHECK(incoming.cut == (size + 7 > MQTT_KEPT) && (incoming.cut || incoming.size == size));
    }
}

static void a_packet_that_does_not_fit_is_not_begun(void)
{
    uint8_t space[16];
    struct bytes out = bytes_in(space, sizeof space);
    mqtt_publish(&out, &(struct mqtt_message){.topic = "0123456789", .payload = space, .size = 10});
    CHECK(out.full && out.used == 0);
}

static void a_length_of_five_bytes_is_malformed(void)
{
    static const uint8_t endless[] = {0x30, 0xff, 0xff, 0xff, 0xff, 0x01};
    unsigned packets = 0;
    CHECK(feed(endless, sizeof endless, 1, &packets) == MQTT_MALFORMED);
}

static void a_message_that_lies_about_its_topic_is_refused(void)
{
    static const uint8_t lies[] = {0x32, 0x04, 0x00, 0x09, 'a', 'b'};
    struct mqtt_incoming incoming;
    unsigned packets = 0;
    feed(lies, sizeof lies, sizeof lies, &packets);
    CHECK(packets == 1 && !mqtt_incoming(&reader, &incoming));
}

/* Bytes that begin like packets, and any others. The sanitizers watch. */
static void any_bytes_are_survived(void)
{
    static const uint8_t beginnings[] = {0x20, 0x02, 0x30, 0x32, 0x40, 0x90, 0xd0, 0x00, 0x80, 0xff};
    uint8_t bytes[300];
    for (int round = 0; round < 200000; round++) {
        size_t size = next_random() % sizeof bytes;
        for (size_t i = 0; i < size; i++)
            bytes[i] = next_random() % 2 ? beginnings[next_random() % sizeof beginnings] : (uint8_t)next_random();
        const uint8_t *at = bytes;
        size_t left = size;
        reader = (struct mqtt_reader){0};
        while (mqtt_read(&reader, &at, &left) == MQTT_PACKET) {
            struct mqtt_incoming incoming;
            bool session;
            uint8_t refusal;
            uint16_t id;
            mqtt_connack(&reader, &session, &refusal);
            mqtt_acknowledged(&reader, &id);
            if (mqtt_incoming(&reader, &incoming))
                CHECK(incoming.payload + incoming.size <= reader.body + MQTT_KEPT);
        }
    }
}

void test_mqtt(void)
{
    a_connection_is_written_as_the_standard_has_it();
    what_is_written_reads_back_in_any_pieces();
    a_packet_that_does_not_fit_is_not_begun();
    a_length_of_five_bytes_is_malformed();
    a_message_that_lies_about_its_topic_is_refused();
    any_bytes_are_survived();
}
