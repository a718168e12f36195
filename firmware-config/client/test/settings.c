/* What can be told from afar; the bundle's file; a firmware notice. */
#include "check.h"

#include "firmware.h"
#include "settings.h"

static const char BUNDLE[] =
    "{\"v\":1,\"site\":\"st-mary\",\"device\":\"mon-01\",\"profile\":\"esp32-max30102\",\"model\":\"M1\","
    "\"broker\":{\"host\":\"broker.st-mary\",\"port\":8884,\"tls\":true,\"keep_alive_s\":20},"
    "\"files\":{\"ca\":\"ca.pem\",\"cert\":\"device.pem\",\"key\":\"device.key\"},"
    "\"interval_ms\":5000,\"buffer_minutes\":60,\"battery_low_percent\":15,"
    "\"channels\":[{\"c\":149530,\"unit\":\"/min\"},"
    "{\"c\":131330,\"unit\":\"mV\",\"fs\":250,\"block_ms\":1000,\"scale\":[-3,1],\"offset\":0},"
    "{\"c\":150452,\"unit\":\"1\",\"fs\":62.5,\"block_ms\":400}]}";

static struct config config;

static void a_bundle_is_read(void)
{
    CHECK(config_parse(&config, "dir", BUNDLE, sizeof BUNDLE - 1) == NULL);
    CHECK(strcmp(config.host, "broker.st-mary") == 0 && config.port == 8884 && config.tls && config.keep_alive_s == 20);
    CHECK(strcmp(config.certificate, "dir/device.pem") == 0 && config.interval_ms == 5000 && config.count == 3);
    CHECK(!config.channels[0].is_wave && config.channels[1].is_wave && config.channels[1].block == 250);
    CHECK(config.channels[1].scale.exponent == -3 && config.channels[2].scale.mantissa == 1 && config.channels[2].block == 25);
}

static void a_bundle_that_is_wrong_is_refused_with_the_place(void)
{
    static const struct {
        const char *from, *to, *fault;
    } cases[] = {
        {"\"v\":1", "\"v\":2", "v"},
        {"8884", "99999", "broker"},
        {"mon-01", "mon/01", "site and device"},
        {"5000", "50  ", "interval_ms"},
        {"62.5", "0.50", "channels"},
        {"[-3,1]", "[-3,0]", "channels"},
        {"\"key\":", "\"kez\":", "TLS"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[sizeof BUNDLE];
        static struct config bad;
        memcpy(text, BUNDLE, sizeof text);
        memcpy(strstr(text, cases[i].from), cases[i].to, strlen(cases[i].to));
        const char *fault = config_parse(&bad, "dir", text, strlen(text));
        CHECK(fault != NULL && strstr(fault, cases[i].fault) != NULL);
    }
    for (size_t size = 0; size < sizeof BUNDLE - 1; size++) {
        static struct config cut;
        CHECK(config_parse(&cut, "dir", BUNDLE, size) != NULL);
    }
}

static struct settings told(const char *set)
{
    static struct settings settings;
    settings_take(&settings, &config, 7, (struct json_span){set, strlen(set)});
    CHECK(settings.is_told && settings.rev == 7);
    return settings;
}

static void what_is_possible_is_taken_and_the_rest_is_named_with_the_reason(void)
{
    struct settings s = told("{\"interval_ms\":50,\"battery_low_percent\":20,\"waves\":[150452],\"colour\":\"r\xc3\xa9" "d\"}");
    CHECK(s.interval_ms == 5000 && s.battery_low_percent == 20 && s.sends[0] && !s.sends[1] && s.sends[2]);
    CHECK(s.rejected_count == 2);
    CHECK(strcmp(s.rejected[0].setting, "interval_ms") == 0);
    CHECK(strcmp(s.rejected[0].reason, "50: expected 200 to 600000") == 0);
    CHECK(strcmp(s.rejected[1].reason, "\"r??d\": no such setting") == 0);
}

static void a_setting_that_is_no_longer_desired_is_as_delivered(void)
{
    CHECK(told("{\"interval_ms\":1000,\"waves\":[]}").interval_ms == 1000);
    struct settings s = told("{}");
    CHECK(s.interval_ms == 5000 && s.sends[1] && s.rejected_count == 0);
}

static void values_of_other_kinds_are_refused(void)
{
    static const char *const bad[] = {
        "{\"interval_ms\":1000.5}", "{\"interval_ms\":\"1000\"}", "{\"interval_ms\":null}",    "{\"battery_low_percent\":101}",
        "{\"waves\":131330}",       "{\"waves\":[149530]}",       "{\"waves\":[131330,\"x\"]}", "{\"\":0,\"x\":[1,{\"y\":2}]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct settings s = told(bad[i]);
        CHECK(s.rejected_count == 1 && s.interval_ms == 5000 && s.battery_low_percent == 15 && s.sends[1] && s.sends[2]);
    }
}

static void an_answer_never_grows_beyond_the_contract(void)
{
    char set[4000] = "{", name[64];
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "%s\"%c%02d-a-name-that-is-far-longer-than-32\":%d", i ? "," : "", 'a' + i % 26, i, i);
        strcat(set, name);
    }
    strcat(set, "}");
    struct settings s = told(set);
    CHECK(s.rejected_count == VITALS_REJECTED && strlen(s.rejected[0].setting) == VITALS_SETTING);
}

static void a_firmware_notice_is_checked_for_its_form(void)
{
    struct firmware notice = {.version = "2.5.0", .size = 183204, .url = "https://updates.example/x"};
    memset(notice.sha256, 'a', 64);
    memset(notice.sig, '0', 128);
    CHECK(firmware_fault(&notice) == NULL);
    notice.sig[127] = 'g';
    CHECK(firmware_fault(&notice) != NULL);
    notice.sig[127] = '0';
    notice.sha256[63] = 0;
    CHECK(firmware_fault(&notice) != NULL);
    notice.sha256[63] = 'a';
    notice.url[4] = 'x';
    CHECK(firmware_fault(&notice) != NULL);
}

void test_settings(void)
{
    a_bundle_is_read();
    a_bundle_that_is_wrong_is_refused_with_the_place();
    what_is_possible_is_taken_and_the_rest_is_named_with_the_reason();
    a_setting_that_is_no_longer_desired_is_as_delivered();
    values_of_other_kinds_are_refused();
    an_answer_never_grows_beyond_the_contract();
    a_firmware_notice_is_checked_for_its_form();
}
