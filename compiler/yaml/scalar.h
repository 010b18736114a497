/*
 * scalar.h - what a YAML scalar is: the 1.2 core schema with the rulings of
 * semantics section 1. Only ytree.c uses it.
 */
#ifndef SC_SCALAR_H
#define SC_SCALAR_H

#include "yaml/ytree.h"

/* Give an untagged plain scalar its kind and value from y->text. */
void sc_scalar_resolve(sc_y *y);
/* Same for a scalar with an explicit tag of the core schema, by its name
 * ("int"). False when the tag is unknown or the text is not of that kind. */
bool sc_scalar_tagged(sc_y *y, sg_str tag);

#endif
