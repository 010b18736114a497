/*
 * test_names.c - identifiers made from any text: legal, bounded, unique.
 */
#include "emit/cwriter.h"

#include "support/test.h"

static const sc_cw_style lower = {"rule", SC_CW_NAME, false};

static void test_name(sg_arena *arena)
{
    static const struct {
        sg_str prefix, in;
        sc_cw_style style;
        sg_str want;
    } rows[] = {
        {SG_LIT("r0_"),
         SG_LIT("Simple"),
         {"rule", 48, false},
         SG_LIT("r0_simple")},
        {SG_LIT("r0_"),
         SG_LIT("filter_main_mdadm.conf"),
         {"rule", 48, false},
         SG_LIT("r0_filter_main_mdadm_conf")},
        {SG_LIT("r0_"),
         SG_LIT("select_tree_execution|endswith"),
         {"rule", 48, false},
         SG_LIT("r0_select_tree_execution_endswith")},
        {SG_LIT("r0_"),
         SG_LIT("  *weird* -- Title! "),
         {"rule", 48, false},
         SG_LIT("r0_weird_title")},
        {SG_LIT("r0_"),
         SG_LIT("__a__b__"),
         {"rule", 48, false},
         SG_LIT("r0_a_b")},
        {SG_LIT("r7_"), SG_LIT(""), {"rule", 48, false}, SG_LIT("r7_rule")},
        {SG_LIT("r7_"),
         SG_LIT("\xe4\xbe\x8b"),
         {"rule", 48, false},
         SG_LIT("r7_rule")},
        {SG_LIT("F2_"),
         SG_LIT("Event.System.#x"),
         {"field", 32, true},
         SG_LIT("F2_EVENT_SYSTEM_X")},
        {SG_LIT("r0_"),
         SG_LIT("abc def"),
         {"rule", 7, false},
         SG_LIT("r0_abc")},
        {SG_LIT("r0_"),
         SG_LIT("abc def"),
         {"rule", 8, false},
         SG_LIT("r0_abc_d")},
        {SG_LIT(""), SG_LIT("x\0y"), {"rule", 8, false}, SG_LIT("x_y")},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_STR(sc_cw_name(arena, rows[i].prefix, rows[i].in, rows[i].style),
                  rows[i].want);
}

static void test_unique(sg_arena *arena)
{
    sg_map used = {0};
    char text[10000];
    const sg_str lengthy = {text, sizeof(text)};

    memset(text, 'z', sizeof(text));
    CHECK_STR(sc_cw_unique(arena, &used, SG_S("r0_"), SG_S("a.b"), lower),
              SG_S("r0_a_b"));
    CHECK_STR(sc_cw_unique(arena, &used, SG_S("r0_"), SG_S("a-b"), lower),
              SG_S("r0_a_b_2"));
    CHECK_STR(sc_cw_unique(arena, &used, SG_S("r0_"), SG_S("a b 2"), lower),
              SG_S("r0_a_b_2_2"));
    CHECK_STR(sc_cw_unique(arena, &used, SG_S("r0_"), SG_S("A B"), lower),
              SG_S("r0_a_b_3"));
    for (int i = 0; i < 1200; i++) {
        sg_str name = sc_cw_unique(arena, &used, SG_S("r0_"), lengthy, lower);
        CHECK(name.len <= SC_CW_NAME);
    }
    CHECK_INT(used.count, 1204);
}

int main(void)
{
    sg_arena arena = {0};

    test_name(&arena);
    test_unique(&arena);
    sg_arena_free(&arena);
    return TEST_END();
}
