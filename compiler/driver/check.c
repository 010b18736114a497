/*
 * check.c - `sigcc check`: everything up to the C compiler, for its messages.
 */
#include "driver/driver.h"

int sc_cmd_check(sc_session *s, const sc_options *o)
{
    sc_loaded loaded;
    int code = sc_load(s, o, &loaded);

    if (sg_str_eq(o->check_format, SG_S("json")) && !loaded.dumped &&
        s->docs.count > 0) {
        sg_buf text = {0};
        sc_report_put(s, &text);
        fwrite(text.ptr, 1, text.len, stdout);
        sg_buf_free(&text);
    }
    return sc_finish(s, o, code);
}
