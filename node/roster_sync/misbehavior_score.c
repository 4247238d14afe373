#include "node/roster_sync/misbehavior_score.h"

/* The place of `link`, or the one that is given up for it. */
static size_t misbehavior_score_place(const struct misbehavior_score *misbehavior_score,
                                      struct link_id link)
{
    size_t least = 0;
    for (size_t i = 0; i < MISBEHAVIOR_SCORE_LINK_COUNT; i++) {
        if (misbehavior_score->of[i].count > 0 && misbehavior_score->of[i].link.value == link.value)
            return i;
        if (misbehavior_score->of[i].count < misbehavior_score->of[least].count)
            least = i;
    }
    return least;
}

void misbehavior_score_add(struct misbehavior_score *misbehavior_score, struct link_id link)
{
    size_t place = misbehavior_score_place(misbehavior_score, link);
    if (misbehavior_score->of[place].link.value != link.value)
        misbehavior_score->of[place].count = 0;
    misbehavior_score->of[place].link = link;
    if (misbehavior_score->of[place].count < MISBEHAVIOR_SCORE_MAX)
        misbehavior_score->of[place].count++;
}

bool misbehavior_score_spent(const struct misbehavior_score *misbehavior_score, struct link_id link)
{
    size_t place = misbehavior_score_place(misbehavior_score, link);
    return misbehavior_score->of[place].link.value == link.value &&
           misbehavior_score->of[place].count >= MISBEHAVIOR_SCORE_MAX;
}

void misbehavior_score_tick(struct misbehavior_score *misbehavior_score)
{
    for (size_t i = 0; i < MISBEHAVIOR_SCORE_LINK_COUNT; i++)
        misbehavior_score->of[i].count -= misbehavior_score->of[i].count > 0;
}
