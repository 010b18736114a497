/*
 * compile.c - from the IR to C compilers: how many files the C is cut into,
 * and that they are compiled while the next ones are written.
 */
#include "driver/driver.h"

enum { RULES_OF_A_PART = 64 };

uint32_t sc_cc_parts(const sc_options *o, uint32_t rules)
{
    uint32_t parts = 1;

    if (o->parts > 0)
        return o->parts < SC_MAX_PARTS ? o->parts : SC_MAX_PARTS;
    /* A power of two: a rule more or less seldom changes it, and with it all
     * parts. */
    while (parts < SC_MAX_PARTS && parts * RULES_OF_A_PART < rules)
        parts *= 2;
    return parts;
}

static uint32_t most_selections(const sc_ir *ir)
{
    uint32_t most = 0;

    for (uint32_t i = 0; i < ir->rules.count; i++)
        if (ir->rules.items[i].sel_count > most)
            most = ir->rules.items[i].sel_count;
    return most;
}

typedef struct target {
    sc_cc *cc;
    sc_cc_job *job;
} target;

static bool compile(void *context, sg_str name, sg_str text)
{
    const target *t = context;

    sc_cc_add(t->cc, t->job, name, text);
    return !t->job->failed;
}

void sc_cc_emit(sc_cc *cc, sc_cc_job *job, const sc_ir *ir,
                const sc_emit_options *emit)
{
    target t = {cc, job};

    job->rules = ir->rules.count;
    job->selections = most_selections(ir);
    sc_cc_begin(cc, job);
    sc_emit_files(cc->s, ir, emit, sc_cc_parts(cc->o, job->rules), compile, &t);
    sc_cc_end(cc, job);
}
