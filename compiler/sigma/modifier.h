/*
 * modifier.h - between modifier.c (chains and their rules) and encode.c
 * (modifiers that rewrite text).
 */
#ifndef SC_MODIFIER_H
#define SC_MODIFIER_H

#include "sigma/reader.h"

/* One value on its way through the modifiers of its key. */
typedef struct sc_chain {
    sc_reader *r;
    sc_item *item;
    const sc_y *value;    /* as written */
    uint32_t value_count; /* of the item */
    sg_str name;          /* the modifier at work */
    sc_span at;           /* its place */
    sg_str before;        /* value modifier before it; empty: none */
    sg_str wrapper;       /* the one that added stars; empty: none */
    bool raw;   /* the string is as written, but for added stars and case */
    bool utf16; /* became UTF-16 bytes */
} sc_chain;

enum { UTF16_LE, UTF16_BE, UTF16_BOM };

/* Take `bytes` from the reader's budget, or report. */
bool sc_chain_charge(sc_chain *c, uint64_t bytes);
/* Refuse wildcards and placeholders in a value that must be plain text; else
 * that text, in *text. */
bool sc_chain_plain(sc_chain *c, const sc_value *v, const char *why,
                    sg_str *text);

typedef struct sc_modifier sc_modifier;

/* A modifier of a key, as spelled, and where. */
typedef struct sc_mod_use {
    const sc_modifier *mod;
    sg_str name;
    sc_span at;
} sc_mod_use;

/* The modifier of that name; NULL when reported. */
const sc_modifier *sc_mod_find(sc_reader *r, sg_str name, sc_span at);
/* Whether it acts on the item (all, neq) rather than on each value. */
bool sc_mod_is_item(const sc_modifier *m);
/* Apply it to the chain's item. */
bool sc_mod_apply_item(sc_chain *c, const sc_mod_use *u);
/* Apply it to a value, each of its alternatives if it has some. */
bool sc_mod_apply(sc_chain *c, const sc_mod_use *u, sc_value *v);
/* "a string", ... for messages. */
const char *sc_value_kind_name(sc_value_kind kind);

bool sc_mod_windash(sc_chain *c, int arg, sc_value *v);
bool sc_mod_base64(sc_chain *c, int arg, sc_value *v);
bool sc_mod_base64offset(sc_chain *c, int arg, sc_value *v);
bool sc_mod_utf16(sc_chain *c, int arg, sc_value *v);

#endif
