#include "protocol/record/kind.h"

#define KIND_RULE(name, number, scopes, writer, signing, audiences)                                \
    {KIND_##name, #name, (scopes), (writer), (signing), (audiences)},
static const struct kind_rule kind_table[] = {KIND_LIST(KIND_RULE)};
#undef KIND_RULE

enum { KIND_COUNT = sizeof kind_table / sizeof kind_table[0] };

const struct kind_rule *kind_rules(size_t *ret_count)
{
    *ret_count = KIND_COUNT;
    return kind_table;
}

const struct kind_rule *kind_rule(uint16_t kind)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kind_table[i].kind == (enum kind)kind)
            return &kind_table[i];
    return NULL;
}

const char *kind_name(uint16_t kind)
{
    const struct kind_rule *rule = kind_rule(kind);
    return rule == NULL ? "unknown" : rule->name;
}

enum kind kind_of_name(struct bytes name)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (bytes_equal(bytes_of_text(kind_table[i].name), name))
            return kind_table[i].kind;
    return KIND_NONE;
}

err kind_check(uint16_t kind, enum scope_kind scope, enum audience audience, bool is_signed)
{
    const struct kind_rule *rule = kind_rule(kind);
    if (rule == NULL)
        return ERR_UNSUPPORTED;
    if ((rule->scopes & KIND_SCOPE(scope)) == 0 || (rule->audiences & KIND_AUDIENCE(audience)) == 0)
        return ERR_MALFORMED;
    if (is_signed ? rule->signing == KIND_BY_NODE : rule->signing == KIND_BY_CLINICIAN)
        return ERR_MALFORMED;
    return OK;
}
