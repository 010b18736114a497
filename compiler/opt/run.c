/*
 * run.c - runs the passes of passes.def in order. Debug builds verify the IR
 * before the first and after each.
 */
#include "opt/pass.h"

typedef struct pass_info {
    sg_str name;
    sc_pass *run;
} pass_info;

static const pass_info passes[] = {
#define PASS(name, doc) {SG_LIT(#name), sc_pass_##name},
#include "opt/passes.def"
#undef PASS
};

enum { PASS_COUNT = sizeof(passes) / sizeof(passes[0]) };

static void verify(const sc_ir *ir)
{
#ifdef NDEBUG
    (void)ir;
#else
    sc_ir_verify(ir);
#endif
}

void sc_opt_run(sc_ir *ir, uint32_t disabled)
{
    sg_arena tmp = {0};
    uint32_t i;

    verify(ir);
    for (i = 0; i < PASS_COUNT; i++) {
        if (disabled & (UINT32_C(1) << i))
            continue;
        passes[i].run(ir, &tmp);
        sg_arena_reset(&tmp);
        verify(ir);
    }
    sg_arena_free(&tmp);
}

uint32_t sc_opt_bit(sg_str name)
{
    uint32_t i;

    for (i = 0; i < PASS_COUNT; i++)
        if (sg_str_eq(name, passes[i].name))
            return UINT32_C(1) << i;
    return 0;
}
