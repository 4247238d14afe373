#include "node/cli/present/api_json.h"

#include <stdint.h>
#include <string.h>

const char *api_json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

long long api_json_number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

bool api_json_is(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

bool api_json_equals(const json_t *object, const char *key, const char *text)
{
    return strcmp(api_json_text(object, key), text) == 0;
}

const char *api_json_name(const json_t *object, const char *key)
{
    return api_json_text(json_object_get(object, key), "name");
}

const json_t *api_json_list(const json_t *answer)
{
    const char *key;
    json_t *value;
    json_t *all = json_incref((json_t *)(uintptr_t)answer);
    const json_t *found = json_is_array(answer) ? answer : NULL;
    if (json_is_object(answer)) {
        json_object_foreach(all, key, value)
        {
            if (json_is_array(value))
                found = value;
        }
    }
    json_decref(all);
    return found;
}
