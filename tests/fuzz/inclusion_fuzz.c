/* Of all proofs that could be made up, only those of real members at their places hold.
 *
 * The head is that of a federation of five, made at the start from known keys. */
#include <stdlib.h>

#include "protocol/roster/inclusion.h"
#include "tests/harness/federation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct federation *f;
    if (f == NULL) {
        f = malloc(sizeof *f);
        if (f == NULL)
            abort();
        federation_found(f, roster_plan_small(), 5);
    }
    struct member member;
    struct head_id named, id = roster_current_id(&f->roster);
    struct bytes all = {data, size};
    if (inclusion_head(all, &named) != OK)
        return 0;
    if (inclusion_check(all, roster_current_head(&f->roster), &id, &member) != OK)
        return 0;
    const struct roster_entry *entry = roster_find(&f->roster, &member.node_id);
    if (entry == NULL || !ID_EQUAL(entry->sign_key, member.sign_key))
        abort();
    return 0;
}
