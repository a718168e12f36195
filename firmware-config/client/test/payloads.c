/* Payloads byte by byte: the examples of the contract. */
#include "check.h"

#include "cbor.h"
#include "decimal.h"
#include "vitals.h"

static void expect(const struct bytes *out, const char *hex)
{
    CHECK(!out->full);
    CHECK(strlen(hex) == 2 * out->used);
    for (size_t i = 0; i < out->used; i++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", out->at[i]);
        CHECK(memcmp(digits, hex + 2 * i, 2) == 0);
    }
}

static const struct stamp NEW_YEAR = {.boot = 4, .seq = 1, .unix_ms = 1767225600000};

static void numerics_are_those_of_the_document(void)
{
    uint8_t space[128];
    struct bytes out = bytes_in(space, sizeof space);
    const struct reading readings[] = {
        {147842, true, 88000, QUALITY_VALID},
        {150456, true, 96000, QUALITY_VALID},
        {150368, true, 37100, QUALITY_VALID},
        {151578, false, 0, QUALITY_LEAD_OFF},
    };
    vitals_num(&out, NEW_YEAR, readings, 4);
    expect(&out, "a500010101021b0000019b76daa80009040384821a000241821858821a00024bb81860821a00024b60c48220190173831a0002501af604");
}

static void a_wave_is_that_of_the_document(void)
{
    uint8_t space[128];
    struct bytes out = bytes_in(space, sizeof space);
    const struct channel ecg = {.code = 131330, .rate = {250000, 1000000}, .is_wave = true, .scale = {-3, 1, 0}, .block = 4};
    const int16_t samples[] = {0, 12, -7, 1000};
    vitals_wave(&out, NEW_YEAR, &ecg, samples, 4, QUALITY_VALID);
    expect(&out, "a900010101021b0000019b76daa8000904041a000201020518fa06822201070008d84d4800000c00f9ffe803");
}

static void the_will_says_off(void)
{
    uint8_t space[8];
    struct bytes out = bytes_in(space, sizeof space);
    vitals_will(&out);
    expect(&out, "a10bf4");
}

static void numbers_have_the_fewest_bytes(void)
{
    static const struct {
        int64_t thousandths;
        const char *hex;
    } cases[] = {
        {0, "00"},           {23000, "17"},          {24000, "1818"},     {-1000, "20"},
        {-25000, "3818"},    {37100, "c48220190173"}, {-50, "c4822124"},   {1, "c4822201"},
        {65536000, "1a00010000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t space[16];
        struct bytes out = bytes_in(space, sizeof space);
        cbor_thousandths(&out, cases[i].thousandths);
        expect(&out, cases[i].hex);
    }
}

static void a_time_can_be_put_right_later(void)
{
    uint8_t space[64];
    struct bytes out = bytes_in(space, sizeof space);
    struct stamp early = NEW_YEAR;
    early.unix_ms = 1500;
    size_t at = vitals_button(&out, early);
    vitals_shift_time(space + at, NEW_YEAR.unix_ms - 1500);
    struct bytes right = bytes_in((uint8_t[64]){0}, 64);
    vitals_button(&right, NEW_YEAR);
    CHECK(out.used == right.used && memcmp(out.at, right.at, out.used) == 0);
}

static void what_does_not_fit_is_said(void)
{
    uint8_t space[20];
    struct bytes out = bytes_in(space, sizeof space);
    vitals_num(&out, NEW_YEAR, &(struct reading){147842, true, 88000, 1}, 1);
    CHECK(out.full && out.used <= sizeof space);
}

static void decimals_are_read(void)
{
    int64_t value;
    CHECK(decimal_read("37.1", 4, &value) == 4 && value == 37100);
    CHECK(decimal_read("-0.05x", 6, &value) == 5 && value == -50);
    CHECK(decimal_read("12.", 3, &value) == 2 && value == 12000);
    CHECK(decimal_read("9.99999", 7, &value) == 7 && value == 9999);
    CHECK(decimal_read("9999999999999", 13, &value) == 0);
    CHECK(decimal_read("-", 1, &value) == 0 && decimal_read("", 0, &value) == 0 && decimal_read(".5", 2, &value) == 0);
}

void test_payloads(void)
{
    numerics_are_those_of_the_document();
    a_wave_is_that_of_the_document();
    the_will_says_off();
    numbers_have_the_fewest_bytes();
    a_time_can_be_put_right_later();
    what_does_not_fit_is_said();
    decimals_are_read();
}
