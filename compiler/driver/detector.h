/*
 * detector.h - builds a detector of all loaded rules in a temporary folder,
 * runs it over lines, and reads its alerts back as indices of the IR.
 */
#ifndef SC_DETECTOR_H
#define SC_DETECTOR_H

#include "driver/driver.h"

typedef struct sc_detector {
    sc_session *session;
    sg_str folder, path; /* temporary; empty until there is one */
    uint32_t rules, corrs;
} sc_detector;

/* Optimises and changes loaded->ir: nothing is hidden, every id is an index.
 * False when reported. Call sc_detector_remove in either case. */
bool sc_detector_build(sc_detector *d, sc_session *s, const sc_options *o,
                       const sc_loaded *loaded);
/* Every match and firing over the lines. False, with a printed reason, when
 * it cannot be run or does not end well. */
bool sc_detector_run(const sc_detector *d, const sg_str *lines, uint32_t count,
                     sc_rt_hits *out);
void sc_detector_remove(sc_detector *d);

#endif
