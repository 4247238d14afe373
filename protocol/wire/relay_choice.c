#include "protocol/wire/relay_choice.h"

void relay_choice_note(struct relay_choice *choice, const struct tunnel_step *step, struct mono now)
{
    bool in_order = step->reason == TUNNEL_REASON_ENDED || step->reason == TUNNEL_REASON_AGED;
    if (step->change == TUNNEL_SAME)
        return;
    if (step->change == TUNNEL_DOWN && !in_order)
        choice->failed_at = now;
    choice->is_up = step->change == TUNNEL_UP;
}

int relay_choice_best(const struct relay_choice *all, int count, int current)
{
    int best = current >= 0 && current < count && all[current].is_up ? current : -1;
    for (int i = 0; i < count; i++) {
        if (all[i].is_up && (best < 0 || all[i].failed_at.ms < all[best].failed_at.ms))
            best = i;
    }
    return best;
}
