#include "protocol/base/arena.h"

#include <assert.h>

void *arena_take(struct arena *arena, size_t count, size_t each)
{
    assert(each > 0 && count <= (SIZE_MAX / 2 - arena->used) / each);
    size_t size = (count * each + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    void *taken = arena->memory != NULL ? arena->memory + arena->used : NULL;
    arena->used += size;
    return taken;
}

void arena_places_init(struct arena_places *places, struct arena *arena, uint32_t capacity)
{
    *places = (struct arena_places){
        .next_free = arena_take(arena, (size_t)capacity + 1, sizeof(uint32_t)),
        .capacity = capacity,
    };
}

uint32_t arena_places_get(struct arena_places *places)
{
    uint32_t place = places->first_free;
    if (place != 0)
        places->first_free = places->next_free[place];
    else if (places->touched < places->capacity)
        place = ++places->touched;
    else
        return 0;
    places->used++;
    return place;
}

void arena_places_put(struct arena_places *places, uint32_t place)
{
    assert(place > 0 && place <= places->touched && places->used > 0);
    places->next_free[place] = places->first_free;
    places->first_free = place;
    places->used--;
}
