// The way: forms and notes are drawn into the page; a new catalog and page tree are made that hold
// the pages only; each page keeps only what draws it; then everything that the pages still reach is
// walked, and keys that draw nothing are taken out. What is not reached is not written.

#include "node/attachment/pdf_cleaner.hh"

#include <cstring>
#include <set>
#include <vector>

#include <qpdf/Buffer.hh>
#include <qpdf/QPDFAcroFormDocumentHelper.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFObjectHandle.hh>
#include <qpdf/QPDFPageDocumentHelper.hh>

extern "C" {
#include "node/attachment/attachment.h"
#include "node/attachment/attachment_jpeg.h"
}

namespace
{

struct Key {
    const char *name;
    uint32_t stripped;
};

// Keys of any dictionary or stream that draw nothing (ISO 32000-1, and 32000-2 for AF).
const std::vector<Key> KEYS_THAT_DRAW_NOTHING = {
    {"/Metadata", ATTACHMENT_STRIPPED_XMP},
    {"/PieceInfo", ATTACHMENT_STRIPPED_OTHER},
    {"/LastModified", ATTACHMENT_STRIPPED_TIME},
    {"/AF", ATTACHMENT_STRIPPED_FILES},
    {"/AA", ATTACHMENT_STRIPPED_ACTIONS},
    {"/Thumb", ATTACHMENT_STRIPPED_THUMBNAIL},
    {"/Alternates", ATTACHMENT_STRIPPED_OTHER},
    {"/OPI", ATTACHMENT_STRIPPED_OTHER},
    {"/Ref", ATTACHMENT_STRIPPED_FILES},
    {"/StructParent", 0},
    {"/StructParents", 0},
    {"/OC", ATTACHMENT_STRIPPED_OUTLINE},
    {"/Measure", ATTACHMENT_STRIPPED_OTHER},
    {"/PtData", ATTACHMENT_STRIPPED_OTHER},
};

// A stream whose bytes lie in another file.
const std::vector<std::string> KEYS_OF_OUTER_STREAMS = {"/F", "/FFilter", "/FDecodeParms"};

const std::set<std::string> KEYS_OF_A_PAGE = {
    "/Type",   "/Resources", "/MediaBox", "/CropBox",  "/BleedBox", "/TrimBox",
    "/ArtBox", "/Contents",  "/Rotate",   "/UserUnit", "/Group",
};

const std::vector<Key> KEYS_OF_THE_CATALOG = {
    {"/Metadata", ATTACHMENT_STRIPPED_XMP},       {"/AF", ATTACHMENT_STRIPPED_FILES},
    {"/OpenAction", ATTACHMENT_STRIPPED_ACTIONS}, {"/AA", ATTACHMENT_STRIPPED_ACTIONS},
    {"/Outlines", ATTACHMENT_STRIPPED_OUTLINE},   {"/OCProperties", ATTACHMENT_STRIPPED_OUTLINE},
    {"/AcroForm", ATTACHMENT_STRIPPED_NOTES},     {"/StructTreeRoot", ATTACHMENT_STRIPPED_OUTLINE},
    {"/PieceInfo", ATTACHMENT_STRIPPED_OTHER},    {"/Collection", ATTACHMENT_STRIPPED_FILES},
};

// Where a dictionary's keys are names that the document chose, no key has a meaning of its own.
enum class Role { PLAIN, RESOURCES, NAMES, PROPERTIES };

Role role_of(Role above, const std::string &key)
{
    static const std::set<std::string> categories = {"/Font",    "/XObject", "/ExtGState",
                                                     "/Pattern", "/Shading", "/ColorSpace"};
    if (above == Role::RESOURCES && key == "/Properties")
        return Role::PROPERTIES;
    if (above == Role::RESOURCES && categories.count(key) > 0)
        return Role::NAMES;
    if (above == Role::PLAIN && key == "/Resources")
        return Role::RESOURCES;
    if (above == Role::PLAIN && (key == "/CharProcs" || key == "/Colorants"))
        return Role::NAMES;
    return Role::PLAIN;
}

// ---- images ----

// JPEG 2000 (ISO 15444-1, annex I): boxes of u32 size | four letters; size 1 says that a u64 size
// follows, 0 that it goes on to the end. Left behind: XML, UUID and its information, IPR.
bool jp2_clean(const std::string &image, std::string &ret_image)
{
    static const std::set<std::string> left_behind = {"xml ", "uuid", "uinf", "jp2i"};
    reader reader = reader_of({reinterpret_cast<const uint8_t *>(image.data()), image.size()});
    while (reader_left(&reader) > 0) {
        const size_t start = reader.offset;
        uint64_t size = reader_u32(&reader);
        const bytes type = reader_take(&reader, 4);
        if (size == 1)
            size = reader_u64(&reader);
        else if (size == 0)
            size = image.size() - start;
        if (reader.failed || size < reader.offset - start || size > image.size() - start)
            return false;
        reader.offset = start + size;
        if (left_behind.count(std::string(reinterpret_cast<const char *>(type.data), 4)) == 0)
            ret_image.append(image, start, size);
    }
    return true;
}

bool jpeg_clean(const std::string &image, std::string &ret_image, uint32_t &found)
{
    std::vector<uint8_t> memory(image.size() + ATTACHMENT_JPEG_GROWTH_MAX);
    buffer out = buffer_over(memory.data(), memory.size());
    if (attachment_jpeg_clean({reinterpret_cast<const uint8_t *>(image.data()), image.size()}, &out,
                              &found) != OK)
        return false;
    ret_image.assign(reinterpret_cast<const char *>(memory.data()), out.size);
    return true;
}

std::string text_of(const std::shared_ptr<Buffer> &buffer)
{
    return std::string(reinterpret_cast<const char *>(buffer->getBuffer()), buffer->getSize());
}

class Cleaner
{
  public:
    explicit Cleaner(QPDF &document) : pdf(document)
    {
    }

    uint32_t clean(const std::string &input);

  private:
    struct Task {
        QPDFObjectHandle object;
        Role role;
    };

    QPDF &pdf;
    uint32_t stripped = 0;
    std::set<QPDFObjGen> seen;
    std::vector<Task> tasks;

    void note_catalog(QPDFObjectHandle catalog);
    void note_states(const std::string &input);
    void clean_page(QPDFObjectHandle page);
    void make_catalog(const std::vector<QPDFObjectHandle> &pages);
    void walk(QPDFObjectHandle from, Role role);
    void walk_one(Task task);
    void clean_dictionary(QPDFObjectHandle dictionary, Role role);
    void clean_properties(QPDFObjectHandle properties);
    void clean_stream(QPDFObjectHandle stream);
    std::string jpeg_of(QPDFObjectHandle stream, const std::vector<QPDFObjectHandle> &filters,
                        QPDFObjectHandle &parameters);
    void clean_jpeg(QPDFObjectHandle stream, const std::vector<QPDFObjectHandle> &filters);
    void clean_jp2(QPDFObjectHandle stream);
};

void Cleaner::note_catalog(QPDFObjectHandle catalog)
{
    for (const Key &key : KEYS_OF_THE_CATALOG)
        if (catalog.hasKey(key.name))
            stripped |= key.stripped;
    QPDFObjectHandle names = catalog.getKey("/Names");
    if (names.isDictionary() && names.hasKey("/EmbeddedFiles"))
        stripped |= ATTACHMENT_STRIPPED_FILES;
    if (names.isDictionary() && names.hasKey("/JavaScript"))
        stripped |= ATTACHMENT_STRIPPED_ACTIONS;
    if (pdf.getTrailer().hasKey("/Info"))
        stripped |= ATTACHMENT_STRIPPED_INFO;
    if (pdf.isEncrypted())
        stripped |= ATTACHMENT_STRIPPED_PROTECTION;
}

// Each time a program saves its changes behind the old document it ends that with one more mark;
// a document made for the web has two from the start.
void Cleaner::note_states(const std::string &input)
{
    size_t marks = 0;
    for (size_t at = input.find("%%EOF"); at != std::string::npos; at = input.find("%%EOF", at + 5))
        marks++;
    if (marks > (pdf.isLinearized() ? 2u : 1u))
        stripped |= ATTACHMENT_STRIPPED_STATES;
}

void Cleaner::clean_page(QPDFObjectHandle page)
{
    for (const Key &key : KEYS_THAT_DRAW_NOTHING)
        if (page.hasKey(key.name))
            stripped |= key.stripped;
    for (const std::string &key : page.getKeys())
        if (KEYS_OF_A_PAGE.count(key) == 0)
            page.removeKey(key);
}

void Cleaner::make_catalog(const std::vector<QPDFObjectHandle> &pages)
{
    QPDFObjectHandle trailer = pdf.getTrailer();
    QPDFObjectHandle language = pdf.getRoot().getKey("/Lang");
    QPDFObjectHandle tree = pdf.makeIndirectObject(QPDFObjectHandle::newDictionary());
    QPDFObjectHandle catalog = pdf.makeIndirectObject(QPDFObjectHandle::newDictionary());
    tree.replaceKey("/Type", QPDFObjectHandle::newName("/Pages"));
    tree.replaceKey("/Kids", QPDFObjectHandle::newArray(pages));
    tree.replaceKey("/Count", QPDFObjectHandle::newInteger((long long)(pages.size())));
    for (QPDFObjectHandle page : pages)
        page.replaceKey("/Parent", tree);
    catalog.replaceKey("/Type", QPDFObjectHandle::newName("/Catalog"));
    catalog.replaceKey("/Pages", tree);
    if (language.isString() && language.getStringValue().size() <= 35)
        catalog.replaceKey("/Lang", QPDFObjectHandle::newString(language.getStringValue()));
    for (const std::string &key : trailer.getKeys())
        if (key != "/Size" && key != "/Encrypt")
            trailer.removeKey(key);
    trailer.replaceKey("/Root", catalog);
}

// A list instead of recursion: a hostile document may nest as deep as it is long.
void Cleaner::walk(QPDFObjectHandle from, Role role)
{
    tasks.push_back({from, role});
    while (!tasks.empty()) {
        const Task task = tasks.back();
        tasks.pop_back();
        walk_one(task);
    }
}

void Cleaner::walk_one(Task task)
{
    QPDFObjectHandle object = task.object;
    if (object.isIndirect() && !seen.insert(object.getObjGen()).second)
        return;
    if (object.isStream()) {
        QPDFObjectHandle dictionary = object.getDict();
        for (const std::string &key : KEYS_OF_OUTER_STREAMS)
            dictionary.removeKey(key);
        clean_dictionary(dictionary, Role::PLAIN);
        clean_stream(object);
    } else if (object.isDictionary()) {
        if (task.role == Role::PROPERTIES)
            clean_properties(object);
        else
            clean_dictionary(object, task.role);
    } else if (object.isArray()) {
        for (int i = 0; i < object.getArrayNItems(); i++)
            tasks.push_back({object.getArrayItem(i), Role::PLAIN});
    }
}

void Cleaner::clean_dictionary(QPDFObjectHandle dictionary, Role role)
{
    if (role == Role::PLAIN) {
        for (const Key &key : KEYS_THAT_DRAW_NOTHING) {
            if (dictionary.hasKey(key.name)) {
                stripped |= key.stripped;
                dictionary.removeKey(key.name);
            }
        }
    }
    for (const std::string &key : dictionary.getKeys())
        if (key != "/Parent")
            tasks.push_back({dictionary.getKey(key), role_of(role, key)});
}

// Names that marked content refers to: layers (all of them show, now that the catalog does not say
// which are hidden) and notes of programs.
void Cleaner::clean_properties(QPDFObjectHandle properties)
{
    for (const std::string &key : properties.getKeys()) {
        QPDFObjectHandle old = properties.getKey(key);
        QPDFObjectHandle plain = QPDFObjectHandle::newDictionary();
        if (old.isDictionaryOfType("/OCG") || old.isDictionaryOfType("/OCMD")) {
            plain.replaceKey("/Type", QPDFObjectHandle::newName("/OCG"));
            plain.replaceKey("/Name", QPDFObjectHandle::newString("layer"));
        }
        properties.replaceKey(key, pdf.makeIndirectObject(plain));
    }
}

void Cleaner::clean_stream(QPDFObjectHandle stream)
{
    QPDFObjectHandle filter = stream.getDict().getKey("/Filter");
    std::vector<QPDFObjectHandle> filters;
    if (filter.isName())
        filters.push_back(filter);
    else if (filter.isArray())
        filters = filter.getArrayAsVector();
    if (filters.empty() || !filters.back().isName())
        return;
    if (filters.back().getName() == "/DCTDecode")
        clean_jpeg(stream, filters);
    else if (filters.size() == 1 && filters.back().getName() == "/JPXDecode")
        clean_jp2(stream);
}

// The JPEG of a stream whose last filter is DCTDecode, taken out of the coding around it. Leaves in
// `parameters` (a list, one or null) those of the last filter.
std::string Cleaner::jpeg_of(QPDFObjectHandle stream, const std::vector<QPDFObjectHandle> &filters,
                             QPDFObjectHandle &parameters)
{
    std::shared_ptr<Buffer> raw = stream.getRawStreamData();
    std::vector<QPDFObjectHandle> each(filters.size(), QPDFObjectHandle::newNull());
    if (parameters.isArray() && parameters.getArrayNItems() == int(filters.size()))
        each = parameters.getArrayAsVector();
    else if (filters.size() == 1 && parameters.isDictionary())
        each[0] = parameters;
    parameters = each.back();
    if (filters.size() == 1)
        return text_of(raw);
    std::vector<QPDFObjectHandle> others(filters.begin(), filters.end() - 1);
    QPDFObjectHandle outer = QPDFObjectHandle::newStream(&pdf, raw);
    each.pop_back();
    outer.getDict().replaceKey("/Filter", QPDFObjectHandle::newArray(others));
    outer.getDict().replaceKey("/DecodeParms", QPDFObjectHandle::newArray(each));
    return text_of(outer.getStreamData(qpdf_dl_generalized));
}

// Some programs leave out a JPEG's end; it is added. One that cannot be cleaned even then is
// replaced by its pixels, so that nothing goes out that was not looked at.
void Cleaner::clean_jpeg(QPDFObjectHandle stream, const std::vector<QPDFObjectHandle> &filters)
{
    QPDFObjectHandle parameters = stream.getDict().getKey("/DecodeParms");
    std::string jpeg = jpeg_of(stream, filters, parameters), cleaned;
    uint32_t found = 0;
    if (jpeg_clean(jpeg, cleaned, found) && found == 0)
        return;
    if (cleaned.empty())
        jpeg_clean(jpeg + "\xff\xd9", cleaned, found);
    if (cleaned.empty())
        stream.replaceStreamData(text_of(stream.getStreamData(qpdf_dl_all)),
                                 QPDFObjectHandle::newNull(), QPDFObjectHandle::newNull());
    else
        stream.replaceStreamData(cleaned, filters.back(), parameters);
    stripped |= ATTACHMENT_STRIPPED_IMAGES;
}

void Cleaner::clean_jp2(QPDFObjectHandle stream)
{
    const std::string image = text_of(stream.getRawStreamData());
    std::string cleaned;
    if (image.compare(0, 2, "\xff\x4f") == 0) // pixels alone, without boxes
        return;
    if (!jp2_clean(image, cleaned))
        throw QPDFExc(qpdf_e_damaged_pdf, "", "image", 0, "not JPEG 2000");
    if (cleaned.size() != image.size()) {
        stream.replaceStreamData(cleaned, QPDFObjectHandle::newName("/JPXDecode"),
                                 QPDFObjectHandle::newNull());
        stripped |= ATTACHMENT_STRIPPED_IMAGES;
    }
}

uint32_t Cleaner::clean(const std::string &input)
{
    QPDFPageDocumentHelper pages(pdf);
    note_catalog(pdf.getRoot());
    note_states(input);
    for (QPDFObjectHandle page : pdf.getAllPages())
        if (page.hasKey("/Annots"))
            stripped |= ATTACHMENT_STRIPPED_NOTES;
    QPDFAcroFormDocumentHelper(pdf).generateAppearancesIfNeeded();
    pages.flattenAnnotations();
    pages.pushInheritedAttributesToPage();
    const std::vector<QPDFObjectHandle> all = pdf.getAllPages();
    if (all.empty())
        throw QPDFExc(qpdf_e_pages, "", "", 0, "no pages");
    make_catalog(all);
    for (QPDFObjectHandle page : all)
        clean_page(page);
    for (QPDFObjectHandle page : all)
        walk(page, Role::PLAIN);
    return stripped;
}

} // namespace

uint32_t pdf_cleaner_clean(QPDF &pdf, const std::string &input)
{
    return Cleaner(pdf).clean(input);
}
