/*
 * shapes.c - shapes.def as tables. Promises only that their order is that of
 * the file.
 */
#include "record/plan.h"

const sr_shape_marks sr_shape_marks_of[SR_SHAPE_COUNT] = {
#define TEXT(root)
#define SHAPE(id, object1, object2, key1, key2)                                \
    [SR_SHAPE_##id] = {{SG_LIT(object1), SG_LIT(object2)},                     \
                       {SG_LIT(key1), SG_LIT(key2)}},
#define FIELD(shape, name, path)
#define PREFIX(shape, path)
#include "record/shapes.def"
#undef TEXT
#undef SHAPE
#undef FIELD
#undef PREFIX
};

const sr_shape_row sr_shape_rows[] = {
#define TEXT(root)
#define SHAPE(id, object1, object2, key1, key2)
#define FIELD(shape, name, path) {SR_SHAPE_##shape, SG_LIT(name), SG_LIT(path)},
#define PREFIX(shape, path) {SR_SHAPE_##shape, SG_LIT(""), SG_LIT(path)},
#include "record/shapes.def"
#undef TEXT
#undef SHAPE
#undef FIELD
#undef PREFIX
};

const uint32_t sr_shape_row_count =
    sizeof sr_shape_rows / sizeof sr_shape_rows[0];

bool sr_shape_has_text(sg_str root)
{
    static const sg_str roots[] = {
#define TEXT(root) SG_LIT(root),
#define SHAPE(id, object1, object2, key1, key2)
#define FIELD(shape, name, path)
#define PREFIX(shape, path)
#include "record/shapes.def"
#undef TEXT
#undef SHAPE
#undef FIELD
#undef PREFIX
    };
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        if (sg_str_eq(roots[i], root))
            return true;
    return false;
}
