#include "protocol/step/step.h"

#include <assert.h>
#include <string.h>

bool step_is_missing(uint32_t flags)
{
    const uint32_t gone = RECORD_EXPIRED | RECORD_DESTROYED | RECORD_MALFORMED | RECORD_WITHHELD;
    return (flags & (RECORD_BARE | RECORD_KEYLESS)) != 0 && (flags & gone) == 0;
}

bool step_run_fills(const struct step_run *run)
{
    return run->purpose == RUN_FILL || run->purpose == RUN_REPAIR;
}

void step_begin(struct step *step)
{
    step->effect_count = 0;
    step->arena_used = 0;
    step->comes_again = false;
}

void *step_reserve(struct step *step, size_t size)
{
    size_t start = (step->arena_used + 15) & ~(size_t)15;
    assert(start <= STEP_ARENA_SIZE && size <= STEP_ARENA_SIZE - start);
    step->arena_used = start + size;
    return step->arena + start;
}

struct effect *step_effect(struct step *step, enum effect_kind kind)
{
    assert(step->effect_count < STEP_EFFECT_COUNT_MAX);
    struct effect *effect = &step->effects[step->effect_count++];
    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    return effect;
}

bool step_has_room(const struct step *step, size_t effects, size_t size)
{
    return effects <= STEP_EFFECT_COUNT_MAX - step->effect_count &&
           size + 16 * effects <= STEP_ARENA_SIZE - step->arena_used;
}
