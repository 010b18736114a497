/*
 * toolchain.h - how the C compiler is called for a detector, and what its
 * results depend on besides the C.
 */
#ifndef SC_TOOLCHAIN_H
#define SC_TOOLCHAIN_H

#include "driver/driver.h"

/* The processor and system to build for, when not those of this machine, else
 * empty: one of the choices of --target. */
sg_str sc_tool_target(const sc_options *o);
/* The compiler: --cc, else that of the target, else $CC, else cc; may hold
 * options behind blanks. */
sg_str sc_tool_name(const sc_cc *cc);
/* The archive that detectors are linked with. */
sg_str sc_tool_library(const sc_cc *cc);
/* Argument vectors: `file` to an object, all objects to a detector. Their
 * files are in `folder`, whose name leaves no trace in what is made. */
char **sc_tool_compile(const sc_cc *cc, const sc_cc_job *job,
                       const sc_cc_file *file, sg_str folder);
char **sc_tool_link(const sc_cc *cc, const sc_cc_job *job, sg_str folder,
                    sg_str out);

/* Find out which compiler, headers and runtime these are, for the keys below.
 * False when that cannot be told: then nothing may be kept. */
bool sc_tool_identify(sc_cc *cc);
/* Keys of what they make: two calls with the same key make the same bytes. */
void sc_tool_object_key(const sc_cc *cc, const sc_cc_job *job,
                        const sc_cc_file *file, sg_str text, char key[65]);
void sc_tool_link_key(const sc_cc *cc, const sc_cc_job *job, char key[65]);

/* What a linker read, by the text it wrote (--dependency-file), with size and
 * time of each file: the libraries of the system, which no key knows. Empty
 * when it wrote nothing. */
void sc_tool_witness(sc_session *s, sg_str text, sg_str folder, sg_buf *out);
/* Whether these files still are what they were. */
bool sc_tool_unchanged(sc_session *s, sg_str witness);

#endif
