#include "node/attachment/pdf_form.hh"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include <poppler/Annot.h>
#include <poppler/Catalog.h>
#include <poppler/Form.h>
#include <poppler/GfxState.h>
#include <poppler/Page.h>
#include <poppler/Stream.h>
#include <poppler/UTF.h>

namespace
{

constexpr int PARENT_DEPTH_MAX = 32;

class StringStream : public OutStream
{
  public:
    explicit StringStream(std::string &target) : all(target)
    {
    }
    void close() override
    {
    }
    Goffset getPos() override
    {
        return Goffset(all.size());
    }
    void put(char c) override
    {
        all.push_back(c);
    }
    void printf(const char *format, ...) override __attribute__((format(printf, 2, 3)))
    {
        char *text = nullptr;
        va_list arguments;
        va_start(arguments, format);
        const int size = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (size >= 0)
            all.append(text, size_t(size));
        free(text);
    }

  private:
    std::string &all;
};

std::u32string text_of(const GooString *value)
{
    std::u32string text;
    Unicode *u = nullptr;
    if (value == nullptr)
        return text;
    const int length = TextStringToUCS4(value->toStr(), &u);
    for (int i = 0; i < length; i++)
        text.push_back(char32_t(u[i]));
    gfree(u);
    return text;
}

// A key of a field that its parents may hold.
Object inherited(const Object &dictionary, const char *key)
{
    Object at = dictionary.copy();
    for (int depth = 0; depth < PARENT_DEPTH_MAX && at.isDict(); depth++) {
        Object value = at.dictLookup(key);
        if (!value.isNull())
            return value;
        at = at.dictLookup("Parent");
    }
    return Object(objNull);
}

// The state of a check box or radio button is that of its value.
bool set_button(PDFDoc &document, const Object &entry)
{
    Object widget = entry.fetch(document.getXRef());
    if (!widget.isDict() || !widget.dictLookup("Subtype").isName("Widget") ||
        !inherited(widget, "FT").isName("Btn") || !entry.isRef())
        return false;
    Object looks = widget.dictLookup("AP");
    looks = looks.isDict() ? looks.dictLookup("N") : Object(objNull);
    const Object value = inherited(widget, "V");
    if (!looks.isDict())
        return false;
    const bool is_on = value.isName() && !looks.dictLookup(value.getName()).isNull();
    widget.dictSet("AS", Object(objName, is_on ? value.getName() : "Off"));
    document.getXRef()->setModifiedObject(&widget, entry.getRef());
    return true;
}

bool set_buttons(PDFDoc &document)
{
    bool is_changed = false;
    for (int number = 1; number <= document.getNumPages(); number++) {
        Page *page = document.getPage(number);
        Object entries = page == nullptr ? Object(objNull) : page->getAnnotsObject();
        for (int i = 0; entries.isArray() && i < entries.arrayGetLength(); i++)
            is_changed |= set_button(document, entries.arrayGetNF(i));
    }
    return is_changed;
}

// Whether viewers are asked to draw the fields. Takes that mark out, or poppler would draw boxes as
// well, without what the document has for them; and makes the form an object of its own, to which
// poppler can add fonts. True in `ret_is_changed` when the document is another one then.
bool take_need(PDFDoc &document, bool &ret_is_changed)
{
    XRef *objects = document.getXRef();
    Object root = objects->getCatalog();
    if (!root.isDict())
        return false;
    const Object &entry = root.dictLookupNF("AcroForm");
    Object form = entry.fetch(objects);
    if (!form.isDict())
        return false;
    const Object need = form.dictLookup("NeedAppearances");
    const bool is_needed = need.isBool() && need.getBool();
    if (entry.isRef() && !is_needed)
        return false;
    ret_is_changed = true;
    form.dictSet("NeedAppearances", Object(false));
    if (entry.isRef()) {
        objects->setModifiedObject(&form, entry.getRef());
    } else {
        root.dictSet("AcroForm", Object(objects->addIndirectObject(form)));
        objects->setModifiedObject(&root, {objects->getRootNum(), objects->getRootGen()});
    }
    return is_needed;
}

bool is_shown(const FormWidget *widget)
{
    const AnnotWidget *annotation = widget->getWidgetAnnotation();
    return annotation != nullptr &&
           (annotation->getFlags() & (Annot::flagHidden | Annot::flagNoView)) == 0;
}

bool has_look(const FormWidget *widget)
{
    Object looks = const_cast<FormWidget *>(widget)->getObj()->dictLookup("AP");
    return looks.isDict() && !looks.dictLookup("N").isNull();
}

bool save(PDFDoc &document, std::string &ret_file)
{
    StringStream stream(ret_file);
    return document.saveAs(&stream, writeForceRewrite) == errNone && !ret_file.empty();
}

bool has_form(PDFDoc &document)
{
    Object root = document.getXRef()->getCatalog();
    return root.isDict() && root.dictLookup("AcroForm").isDict();
}

// Looking for an object that its table does not list makes poppler build the table again, without
// what was changed: so each is looked for first.
void settle(PDFDoc &document)
{
    XRef *objects = document.getXRef();
    for (int i = 0; i < objects->getNumObjects(); i++)
        (void)objects->getEntry(i, false);
}

// True when a field was drawn.
bool fill(PDFDoc &document, bool is_needed, std::vector<PdfFormValue> &ret_values)
{
    bool is_changed = false;
    for (int number = 1; number <= document.getNumPages(); number++) {
        Page *page = document.getPage(number);
        std::unique_ptr<FormPageWidgets> widgets =
            page == nullptr ? nullptr : page->getFormWidgets();
        for (int i = 0; widgets != nullptr && i < widgets->getNumWidgets(); i++) {
            FormWidget *widget = widgets->getWidget(i);
            if (!is_shown(widget) || (!is_needed && has_look(widget)))
                continue;
            if (widget->getType() == formText) {
                FormWidgetText *field = static_cast<FormWidgetText *>(widget);
                const std::u32string text = text_of(field->getContent());
                if (field->isPassword() || pdf_sight_bag(text).empty())
                    continue;
                const GooString same(field->getContent());
                field->setContent(&same);
                ret_values.push_back({number, text});
                is_changed = true;
            } else if (widget->getType() == formChoice) {
                const FormWidgetChoice *field = static_cast<FormWidgetChoice *>(widget);
                for (int j = 0; j < field->getNumChoices(); j++)
                    if (field->isSelected(j))
                        ret_values.push_back({number, text_of(field->getChoice(j))});
            }
        }
    }
    return is_changed;
}

} // namespace

bool pdf_form_is_dynamic(PDFDoc &document)
{
    Object root = document.getXRef()->getCatalog();
    if (!root.isDict())
        return false;
    Object needs = root.dictLookup("NeedsRendering"), form = root.dictLookup("AcroForm");
    if (!form.isDict() || form.dictLookup("XFA").isNull())
        return false;
    Object fields = form.dictLookup("Fields");
    return (needs.isBool() && needs.getBool()) || !fields.isArray() || fields.arrayGetLength() == 0;
}

PdfFormFilled pdf_form_fill(PDFDoc &document, std::string &ret_file,
                            std::vector<PdfFormValue> &ret_values)
{
    bool is_changed = false;
    std::string file;
    if (!has_form(document))
        return PdfFormFilled::NOT_NEEDED;
    settle(document);
    if (!has_form(document))
        return PdfFormFilled::DAMAGED;
    const bool is_needed = take_need(document, is_changed);
    if (is_needed)
        set_buttons(document);
    if (!is_changed) {
        if (!fill(document, false, ret_values))
            return PdfFormFilled::NOT_NEEDED;
        return save(document, ret_file) ? PdfFormFilled::DONE : PdfFormFilled::DAMAGED;
    }
    if (!save(document, file))
        return PdfFormFilled::DAMAGED;
    PDFDoc changed(new MemStream(file.data(), 0, Goffset(file.size()), Object(objNull)));
    if (!changed.isOk() || !has_form(changed))
        return PdfFormFilled::DAMAGED;
    if (!fill(changed, is_needed, ret_values) && !is_needed)
        return PdfFormFilled::NOT_NEEDED;
    return save(changed, ret_file) ? PdfFormFilled::DONE : PdfFormFilled::DAMAGED;
}

std::u32string pdf_form_unredacted(PDFDoc &document, int number, const PdfSight &sight)
{
    std::u32string found;
    Page *page = document.getPage(number);
    Object entries = page == nullptr ? Object(objNull) : page->getAnnotsObject();
    const double scale = 72;
    double to_device[6];
    if (page == nullptr)
        return found;
    GfxState state(scale, scale, page->getCropBox(), page->getRotate(), true);
    memcpy(to_device, state.getCTM(), sizeof to_device);
    for (int i = 0; entries.isArray() && i < entries.arrayGetLength(); i++) {
        Object annotation = entries.arrayGet(i);
        if (!annotation.isDict() || !annotation.dictLookup("Subtype").isName("Redact"))
            continue;
        Object corners = annotation.dictLookup("Rect");
        if (!corners.isArray() || corners.arrayGetLength() != 4)
            continue;
        double x[2], y[2];
        for (int j = 0; j < 2; j++) {
            const double px = corners.arrayGet(j * 2).getNumWithDefaultValue(0);
            const double py = corners.arrayGet(j * 2 + 1).getNumWithDefaultValue(0);
            x[j] = to_device[0] * px + to_device[2] * py + to_device[4];
            y[j] = to_device[1] * px + to_device[3] * py + to_device[5];
        }
        const size_t before = found.size();
        for (const PdfGlyph &glyph : sight.glyphs) {
            const double middle = (glyph.x + glyph.right) / 2;
            if (glyph.is_seen && middle >= std::min(x[0], x[1]) && middle <= std::max(x[0], x[1]) &&
                glyph.middle >= std::min(y[0], y[1]) && glyph.middle <= std::max(y[0], y[1]))
                found += glyph.text;
        }
        found += found.size() == before ? U"? " : U" ";
    }
    return found;
}
