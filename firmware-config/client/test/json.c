/* JSON: what is right is read, what is wrong is refused, and nothing breaks the reader. */
#include "check.h"

#include <string.h>

#include "command.h"
#include "json.h"

static bool is_well_formed(const char *text)
{
    struct json json = json_in(text, strlen(text));
    json_skip(&json, NULL);
    return json_ended(&json);
}

static void texts_are_told_right_from_wrong(void)
{
    static const char *const right[] = {
        "{}", "[]", "0", "-1.5e3", "\"a\\\"b\"", "true", " [1, {\"a\" : [ ] }, null ] ", "{\"a\":{\"b\":[{}]},\"c\":\"\"}",
    };
    static const char *const wrong[] = {
        "", "{", "}", "[1 2]", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "\"a", "\"\\", "tru", "[}", "1 2", "{\"a\":1,}", "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        CHECK(is_well_formed(right[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!is_well_formed(wrong[i]));
}

static void members_are_read_in_any_order(void)
{
    static const char text[] = "{\"later\":[1,{\"x\":2}],\"port\":8883,\"tls\":true,\"host\":\"b\\/c\"}";
    struct json json = json_in(text, sizeof text - 1);
    char name[8], host[8] = "";
    int64_t port = 0;
    bool tls = false;
    for (json_open(&json, '{'); json_next(&json, name, sizeof name);) {
        if (strcmp(name, "port") == 0)
            json_number(&json, &port);
        else if (strcmp(name, "tls") == 0)
            json_bool(&json, &tls);
        else if (strcmp(name, "host") == 0)
            json_text(&json, host, sizeof host);
        else
            json_skip(&json, NULL);
    }
    CHECK(json_ended(&json) && port == 8883 && tls && strcmp(host, "b/c") == 0);
}

static void a_text_that_does_not_fit_is_refused(void)
{
    char text[4];
    struct json json = json_in("\"abcd\"", 6);
    CHECK(!json_text(&json, text, sizeof text) && !json_ended(&json));
}

/* A good command with some characters changed: whatever it is then, the reader holds. */
static void any_command_is_survived(struct device *device)
{
    static const char good[] = "{\"v\":1,\"cmd\":\"config\",\"rev\":7,\"set\":{\"interval_ms\":1000,\"waves\":[131330],\"x\":{\"y\":[1,2]}}}";
    static const char telling[] = "{}[]\",:-+.eE019nulltruefalse\\u\xff\x01";
    char text[sizeof good];
    for (int round = 0; round < 100000; round++) {
        memcpy(text, good, sizeof good);
        size_t size = sizeof good - 1;
        for (uint64_t changes = next_random() % 5; changes > 0; changes--)
            text[next_random() % size] = telling[next_random() % (sizeof telling - 1)];
        if (next_random() % 4 == 0)
            size = next_random() % size;
        command_obey(device, (const uint8_t *)text, size);
        CHECK(device->settings.interval_ms >= INTERVAL_LOWEST_MS && device->settings.interval_ms <= INTERVAL_HIGHEST_MS);
    }
}

void test_json(void)
{
    texts_are_told_right_from_wrong();
    members_are_read_in_any_order();
    a_text_that_does_not_fit_is_refused();
    static struct device device;
    static struct config config = {.model = "M", .interval_ms = 1000, .count = 2,
                                   .channels = {{.code = 149530, .unit = "/min"},
                                                {.code = 131330, .unit = "mV", .is_wave = true, .rate = {250000, 1000000}, .scale = {.mantissa = 1}, .block = 250}}};
    static _Alignas(16) uint8_t store[65536];
    CHECK(device_start(&device, &config, store, sizeof store, 1));
    any_command_is_survived(&device);
}
