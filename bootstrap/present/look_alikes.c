#include "bootstrap/present/look_alikes.h"

#include <stdlib.h>

#include "bootstrap/directory/member_text.h"
#include "bootstrap/directory/name_skeleton.h"
#include "bootstrap/directory/society_pending.h"

struct look_alikes_row {
    struct node_id node_id;
    struct name_skeleton skeleton;
};

struct look_alikes {
    const struct society *society;
    uint32_t count;
    struct look_alikes_row rows[];
};

static void look_alikes_add(void *arg, const struct member *member)
{
    struct look_alikes *all = arg;
    all->rows[all->count].node_id = member->node_id;
    all->rows[all->count++].skeleton = name_skeleton_of(member->name);
}

struct look_alikes *look_alikes_new(const struct society *society)
{
    size_t count = roster_count(&society->roster) + (size_t)society->pending.member_count;
    struct look_alikes *all = malloc(sizeof *all + count * sizeof all->rows[0]);
    if (all == NULL)
        return NULL;
    *all = (struct look_alikes){.society = society};
    society_pending_visit(society, look_alikes_add, all);
    return all;
}

void look_alikes_free(struct look_alikes *all)
{
    free(all);
}

/* Prints them unless `out` is NULL. */
static uint32_t look_alikes_find(const struct look_alikes *all, const struct member *member,
                                 FILE *out)
{
    struct name_skeleton skeleton = name_skeleton_of(member->name);
    uint32_t found = 0;
    for (uint32_t i = 0; i < all->count; i++) {
        struct member other;
        if (ID_EQUAL(all->rows[i].node_id, member->node_id) ||
            !name_skeleton_equal(&all->rows[i].skeleton, &skeleton))
            continue;
        found++;
        if (out != NULL && society_pending_member(all->society, &all->rows[i].node_id, &other))
            member_text_describe(&other, out);
    }
    return found;
}

uint32_t look_alikes_count(const struct look_alikes *all, const struct member *member)
{
    return look_alikes_find(all, member, NULL);
}

void look_alikes_print(const struct look_alikes *all, const struct member *member, FILE *out)
{
    (void)look_alikes_find(all, member, out);
}
