/*
 * baseline.c - the findings that an earlier run knew, by their fingerprints,
 * from its report.json or results.sarif. What is neither is refused as a
 * whole: a baseline that is half read would call old findings new.
 */
#include "ci/ci.h"

#include <cjson/cJSON.h>

static bool add(sg_arena *arena, sg_map *known, const cJSON *fingerprint)
{
    bool found;

    if (!cJSON_IsString(fingerprint))
        return false;
    sg_map_put(arena, known,
               sg_arena_dup(arena, sg_str_of(fingerprint->valuestring)),
               &found);
    return true;
}

static bool read_report(sg_arena *arena, const cJSON *root, sg_map *known)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "findings");
    const cJSON *item;

    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(item, list)
    {
        if (!add(arena, known,
                 cJSON_GetObjectItemCaseSensitive(item, "fingerprint")))
            return false;
    }
    return true;
}

/* Results of other tools have other fingerprints, and are passed over. */
static bool read_run(sg_arena *arena, const cJSON *run, sg_map *known)
{
    const cJSON *results = cJSON_GetObjectItemCaseSensitive(run, "results");
    const cJSON *item;

    if (!cJSON_IsArray(results))
        return false;
    cJSON_ArrayForEach(item, results)
    {
        const cJSON *prints =
            cJSON_GetObjectItemCaseSensitive(item, "partialFingerprints");

        add(arena, known, cJSON_GetObjectItemCaseSensitive(prints, "sigcc/v1"));
    }
    return true;
}

static bool read_root(sg_arena *arena, const cJSON *root, sg_map *known)
{
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(root, "schema");
    const cJSON *runs = cJSON_GetObjectItemCaseSensitive(root, "runs");
    const cJSON *run;

    if (cJSON_IsString(schema) &&
        sg_str_eq(sg_str_of(schema->valuestring), SG_S("sigcc.ci/1")))
        return read_report(arena, root, known);
    if (!cJSON_IsArray(runs))
        return false;
    cJSON_ArrayForEach(run, runs)
    {
        if (!read_run(arena, run, known))
            return false;
    }
    return true;
}

bool sc_ci_baseline(sg_arena *arena, sg_str text, sg_map *known)
{
    cJSON *root = cJSON_ParseWithLength(text.ptr, text.len);
    const bool ok = cJSON_IsObject(root) && read_root(arena, root, known);

    cJSON_Delete(root);
    return ok;
}
