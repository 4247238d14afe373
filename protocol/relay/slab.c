#include "protocol/relay/slab.h"

#include <assert.h>

void *slab_take(struct slab *slab, size_t count, size_t each)
{
    assert(each > 0 && count <= (SIZE_MAX / 2 - slab->used) / each);
    size_t size = (count * each + SLAB_ALIGNMENT - 1) / SLAB_ALIGNMENT * SLAB_ALIGNMENT;
    void *taken = slab->memory != NULL ? slab->memory + slab->used : NULL;
    slab->used += size;
    return taken;
}

void slab_places_init(struct slab_places *places, struct slab *slab, uint32_t capacity)
{
    *places = (struct slab_places){
        .next_free = slab_take(slab, (size_t)capacity + 1, sizeof(uint32_t)),
        .capacity = capacity,
    };
}

uint32_t slab_places_get(struct slab_places *places)
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

void slab_places_put(struct slab_places *places, uint32_t place)
{
    assert(place > 0 && place <= places->touched && places->used > 0);
    places->next_free[place] = places->first_free;
    places->first_free = place;
    places->used--;
}
