/*
 * emit.h - IR to C text and manifest. No decisions: whatever costs or shares
 * is settled in opt.
 */
#ifndef SC_EMIT_H
#define SC_EMIT_H

#include "ir/ir.h"

typedef struct sc_manifest_file {
    sg_str path;
    char sha256[65];
} sc_manifest_file;

typedef struct sc_emit_options {
    sg_str name; /* of the detector; any text, mangled here */
    SG_VEC(sc_manifest_file) pipelines, filters, enrichments;
    SG_VEC(sg_str)
    flags;       /* options that change what is emitted: "name" or
                  * "name=value" */
    bool encode; /* texts of the rules are not in the compiled file in clear;
                  * comments of the C say what they are */
    /* What the user named on the command line. An absolute path found below
     * one of them is shown from its last component on. */
    SG_VEC(sg_str) roots;
} sc_emit_options;

/* The manifest (interface.md), one line of JSON. */
sg_str sc_emit_manifest(sc_session *s, const sc_ir *ir,
                        const sc_emit_options *o);
/* The C file. Deterministic, a fixed point of clang-format. */
void sc_emit_c(sc_session *s, const sc_ir *ir, const sc_emit_options *o,
               sg_buf *out);

/* The same detector in as many C files as `parts` asks for, each compiled on
 * its own. 1: one file, "detector". Else, for packs: the tables of its rules
 * ("rules"), all texts ("texts"), the functions of the rules in parts
 * ("part000", ...; those without a rule are left out), and what else it is and
 * knows ("detector"). A rule's id says which part it is in, and a part depends
 * on its own rules alone: one that changes leaves the other parts as they are,
 * byte by byte. */
enum { SC_MAX_PARTS = 256 };
/* Takes one file; the text lasts as long as the call, the name as long as
 * the session. False: no more. */
typedef bool sc_emit_sink(void *context, sg_str name, sg_str text);
/* False when the sink wanted no more. */
bool sc_emit_files(sc_session *s, const sc_ir *ir, const sc_emit_options *o,
                   uint32_t parts, sc_emit_sink *sink, void *context);

#endif
