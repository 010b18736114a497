/*
 * test_recall.c - what is kept of values comes back for the same value of the
 * same index and for no other, and is never kept in part.
 */
#include "eval/recall.h"
#include "support/test.h"

#include <stdlib.h>

enum { FIELDS = 2 };

static const sigma_detector detector = {.field_count = FIELDS,
                                        .pred_count = 1000};

typedef struct fixture {
    sg_arena arena;
    sr_recall *recall;
    sr_recall_index indexes[2];
} fixture;

static void open_fixture(fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->recall = sr_recall_new(&f->arena, &detector);
    CHECK(f->recall != NULL);
}

static void close_fixture(fixture *f)
{
    sg_arena_free(&f->arena);
}

/* The memory of a value in an event of its own. */
static sr_memory *see(fixture *f, unsigned index, sg_str raw, bool *old)
{
    sr_recall_begin(f->recall);
    return sr_recall_value(f->recall, &f->indexes[index], index, raw, old);
}

static bool is_old(fixture *f, unsigned index, sg_str raw)
{
    bool old = false;

    CHECK(see(f, index, raw, &old) != NULL);
    return old;
}

static bool has(const sr_memory *m, uint32_t pred, sr_fact fact)
{
    uint32_t count;
    const uint32_t *facts = sr_memory_facts(m, &count);

    for (uint32_t i = 0; i < count; i++)
        if (sr_fact_kind(facts[i]) == fact && sr_fact_pred(facts[i]) == pred)
            return true;
    return false;
}

static uint32_t count_of(const sr_memory *m)
{
    uint32_t count;

    (void)sr_memory_facts(m, &count);
    return count;
}

static void test_values(void)
{
    fixture f;

    open_fixture(&f);
    CHECK(!is_old(&f, 0, SG_S("\"a\"")));
    CHECK(is_old(&f, 0, SG_S("\"a\"")));
    CHECK(!is_old(&f, 1, SG_S("\"a\"")));
    CHECK(!is_old(&f, 0, SG_S("\"A\"")));
    CHECK(!is_old(&f, 0, SG_S("")));
    CHECK(!is_old(&f, 0, SG_S("\0")));
    CHECK(is_old(&f, 0, SG_S("")));
    close_fixture(&f);
}

static void test_facts(void)
{
    fixture f;
    bool old;

    open_fixture(&f);
    sr_memory *m = see(&f, 0, SG_S("1"), &old);
    CHECK_INT(count_of(m), 0);
    sr_recall_found(f.recall, m, 7);
    sr_recall_found(f.recall, m, 9);
    sr_recall_found(f.recall, m, 7);
    sr_recall_verdict(f.recall, 0, 3, true);
    sr_recall_verdict(f.recall, 0, 4, false);
    sr_recall_verdict(f.recall, 1, 5, true); /* no value of that is kept */
    sr_recall_begin(f.recall);
    sr_recall_verdict(f.recall, 0, 6, true); /* another event */
    m = see(&f, 0, SG_S("1"), &old);
    CHECK(old);
    CHECK_INT(count_of(m), 4);
    CHECK(has(m, 7, SR_FACT_FOUND) && has(m, 9, SR_FACT_FOUND));
    CHECK(has(m, 3, SR_FACT_TRUE) && has(m, 4, SR_FACT_FALSE));
    close_fixture(&f);
}

/* What an index leads to is kept whole or not at all; verdicts as they fit. */
static void test_many_facts(void)
{
    fixture f;
    bool old;

    open_fixture(&f);
    sr_memory *m = see(&f, 0, SG_S("1"), &old);
    for (uint32_t i = 0; i < detector.pred_count; i++)
        sr_recall_found(f.recall, m, i);
    CHECK(!is_old(&f, 0, SG_S("1")));
    for (uint32_t i = 0; i < detector.pred_count; i++)
        sr_recall_verdict(f.recall, 0, i, true);
    m = see(&f, 0, SG_S("1"), &old);
    CHECK(old);
    CHECK(has(m, 0, SR_FACT_TRUE) && !has(m, 999, SR_FACT_TRUE));
    close_fixture(&f);
}

/* A place that another value takes within an event gets none of its verdicts.
 * There are more values than places, so some take others'. */
static void test_places_taken(void)
{
    enum { VALUES = 20000 };
    fixture f;
    char text[16];
    bool old;
    int kept = 0;

    open_fixture(&f);
    for (int i = 0; i < VALUES; i++) {
        const sg_str mine = {text, (size_t)snprintf(text, 16, "%d", i)};

        f.indexes[0] = f.indexes[1] = (sr_recall_index){.last = NULL};
        sr_memory *m = see(&f, 0, mine, &old);
        sr_memory *other =
            sr_recall_value(f.recall, &f.indexes[1], 1, SG_S("x"), &old);
        const uint32_t count = count_of(other);
        sr_recall_verdict(f.recall, 0, 1, true);
        CHECK(m != other || count_of(other) == count);
    }
    for (int i = 0; i < VALUES; i++) {
        const sg_str mine = {text, (size_t)snprintf(text, 16, "%d", i)};

        f.indexes[0] = (sr_recall_index){.last = NULL};
        kept += is_old(&f, 0, mine);
    }
    CHECK(kept < VALUES / 2);
    close_fixture(&f);
}

/* Values get in each other's way only when they are many, and what is asked for
 * all the time stays. */
static void test_crowded(void)
{
    enum { SOME = 1000, MANY = 50000 };
    fixture f;
    char text[16];
    int kept = 0;

    open_fixture(&f);
    for (int i = 0; i < 2 * SOME; i++) {
        const sg_str mine = {text, (size_t)snprintf(text, 16, "%d", i % SOME)};

        f.indexes[0] = (sr_recall_index){.last = NULL};
        kept += is_old(&f, 0, mine);
    }
    CHECK(kept > SOME * 95 / 100);
    CHECK(!is_old(&f, 1, SG_S("again")));
    for (int i = 0; i < MANY; i++) {
        const sg_str mine = {text, (size_t)snprintf(text, 16, "%d", i)};

        f.indexes[0] = (sr_recall_index){.last = NULL};
        (void)is_old(&f, 0, mine);
        CHECK(is_old(&f, 1, SG_S("again")));
    }
    close_fixture(&f);
}

/* Values that hardly ever come again are let pass, and tried again later. */
static void test_habits(void)
{
    fixture f;
    char text[16];
    bool old;
    int asked = 0, repeated = 0;

    open_fixture(&f);
    for (int i = 0; i < 100000; i++) {
        const sg_str mine = {text, (size_t)snprintf(text, 16, "%d", i)};

        asked += see(&f, 0, mine, &old) != NULL;
        repeated += see(&f, 1, SG_S("again"), &old) != NULL;
    }
    CHECK(asked > 1000 && asked < 20000);
    CHECK_INT(repeated, 100000);
    close_fixture(&f);
}

/* Long values have places of their own, so they are not in the way of short
 * ones, and are known by all of their bytes. */
static void test_long_values(void)
{
    enum { LONG = 16384, VALUES = 1000 };
    static char text[LONG];
    const sg_str large = {memset(text, 'x', LONG), LONG};
    fixture f;
    bool old;
    int kept = 0;

    open_fixture(&f);
    CHECK(!is_old(&f, 0, SG_S("short")));
    sr_memory *m = see(&f, 0, large, &old);
    CHECK(!old);
    sr_recall_found(f.recall, m, 7);
    m = see(&f, 0, large, &old);
    CHECK(old && has(m, 7, SR_FACT_FOUND));
    text[LONG / 2] = 'y';
    CHECK(!is_old(&f, 0, large));
    for (int i = 0; i < VALUES; i++) {
        text[0] = (char)(i & 127);
        text[1] = (char)(i >> 7);
        f.indexes[0] = (sr_recall_index){.last = NULL};
        (void)is_old(&f, 0, large);
    }
    for (int i = 0; i < VALUES; i++) {
        text[0] = (char)(i & 127);
        text[1] = (char)(i >> 7);
        f.indexes[0] = (sr_recall_index){.last = NULL};
        kept += is_old(&f, 0, large);
    }
    CHECK(kept < VALUES / 2);
    CHECK(is_old(&f, 0, SG_S("short")));
    close_fixture(&f);
}

static void test_not_kept(void)
{
    static char text[16385];
    const sg_str large = {memset(text, 'x', sizeof(text)), sizeof(text)};
    sigma_detector enriching = detector;
    fixture f;
    bool old;

    open_fixture(&f);
    CHECK(see(&f, 0, large, &old) == NULL);
    sr_recall_verdict(f.recall, 0, 1, true);
    enriching.enrich_step_count = 1;
    CHECK(sr_recall_new(&f.arena, &enriching) == NULL);
    CHECK(setenv("SIGCC_RECALL", "0", 1) == 0);
    CHECK(sr_recall_new(&f.arena, &detector) == NULL);
    CHECK(unsetenv("SIGCC_RECALL") == 0);
    sr_recall_begin(NULL);
    sr_recall_verdict(NULL, 0, 1, true);
    close_fixture(&f);
}

int main(void)
{
    test_values();
    test_facts();
    test_many_facts();
    test_places_taken();
    test_crowded();
    test_habits();
    test_long_values();
    test_not_kept();
    return TEST_END();
}
