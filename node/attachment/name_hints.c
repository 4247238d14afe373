#include "node/attachment/name_hints.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

enum { HINT_PIECE_MAX = 64, HINT_WORD_SIZE = 48 };

enum hint_kind { HINT_DIGITS, HINT_WORD, HINT_HAN, HINT_HANGUL };

/* One run of digits or of letters of one script. */
struct hint_piece {
    enum hint_kind kind;
    unsigned number;           /* of the first nine digits */
    unsigned head;             /* of the first eight */
    size_t count;              /* digits, or letters */
    bool is_capital;           /* a capital letter first, and small ones after it */
    bool is_cased;             /* its script has capital letters */
    bool is_close;             /* at most one mark stands between it and the piece before */
    char word[HINT_WORD_SIZE]; /* small letters */
    size_t size;
};

struct hint_name {
    struct hint_piece pieces[HINT_PIECE_MAX];
    size_t count;
};

/* ---- characters ---- */

/* 10: no digit. */
static unsigned hint_digit(int32_t code)
{
    static const int32_t zeros[] = {'0', 0x660, 0x6f0, 0x966, 0xe50, 0xff10};
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
        if (code >= zeros[i] && code < zeros[i] + 10)
            return (unsigned)(code - zeros[i]);
    }
    return 10;
}

/* Year, month, day in Chinese, Japanese and Korean: marks between the digits of a date. */
static bool hint_is_date_mark(int32_t code)
{
    return code == 0x5e74 || code == 0x6708 || code == 0x65e5 || code == 0xb144 || code == 0xc6d4 ||
           code == 0xc77c;
}

/* Letters, and the marks that belong to them. */
static bool hint_is_letter(int32_t code)
{
    utf8proc_category_t category = utf8proc_category(code);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_MC;
}

static enum hint_kind hint_script(int32_t code)
{
    if (code >= 0x3400 && code <= 0x9fff)
        return HINT_HAN;
    return code >= 0xac00 && code <= 0xd7a3 ? HINT_HANGUL : HINT_WORD;
}

/* ---- pieces ---- */

struct hint_reader {
    struct hint_name *name;
    struct hint_piece *open; /* NULL: the character before was a mark */
    bool is_small;           /* it was a small letter */
    size_t mark_count;       /* since the last piece */
};

static struct hint_piece *hint_begin(struct hint_reader *reader, enum hint_kind kind)
{
    struct hint_name *name = reader->name;
    if (name->count == HINT_PIECE_MAX)
        return NULL;
    struct hint_piece *piece = &name->pieces[name->count++];
    *piece = (struct hint_piece){.kind = kind, .is_close = reader->mark_count <= 1};
    reader->mark_count = 0;
    return piece;
}

static void hint_add_digit(struct hint_reader *reader, unsigned digit)
{
    if (reader->open == NULL || reader->open->kind != HINT_DIGITS)
        reader->open = hint_begin(reader, HINT_DIGITS);
    struct hint_piece *piece = reader->open;
    if (piece == NULL)
        return;
    if (piece->count < 9)
        piece->number = piece->number * 10 + digit;
    if (piece->count < 8)
        piece->head = piece->head * 10 + digit;
    piece->count++;
}

static void hint_add_letter(struct hint_reader *reader, int32_t code)
{
    bool is_upper = utf8proc_tolower(code) != code, is_lower = utf8proc_toupper(code) != code;
    enum hint_kind kind = hint_script(code);
    struct hint_piece *piece = reader->open;
    if (piece == NULL || piece->kind != kind || (is_upper && reader->is_small)) {
        piece = reader->open = hint_begin(reader, kind); /* also at "HansMueller" */
        if (piece != NULL)
            piece->is_capital = is_upper;
    } else if (is_upper) {
        piece->is_capital = false; /* all capitals: an abbreviation */
    }
    reader->is_small = is_lower;
    if (piece == NULL)
        return;
    piece->count++;
    piece->is_cased = piece->is_cased || is_upper || is_lower;
    if (piece->size + 5 < HINT_WORD_SIZE)
        piece->size += (size_t)utf8proc_encode_char(utf8proc_tolower(code),
                                                    (utf8proc_uint8_t *)piece->word + piece->size);
}

static void hint_split(struct bytes text, struct hint_name *ret_name)
{
    struct hint_reader reader = {.name = ret_name};
    ret_name->count = 0;
    for (size_t at = 0; at < text.size;) {
        int32_t code = 0;
        utf8proc_ssize_t taken =
            utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.size - at), &code);
        at += taken <= 0 ? 1 : (size_t)taken;
        if (taken > 0 && hint_digit(code) < 10) {
            hint_add_digit(&reader, hint_digit(code));
        } else if (taken > 0 && hint_is_letter(code) && !hint_is_date_mark(code)) {
            hint_add_letter(&reader, code);
            continue;
        } else {
            reader.open = NULL;
            reader.mark_count++;
        }
        reader.is_small = false;
    }
}

/* ---- words ---- */

/* `list` is blanks between words, and begins and ends with one. */
static bool hint_is_listed(const char *list, const struct hint_piece *piece)
{
    char sought[HINT_WORD_SIZE + 2] = " ";
    memcpy(sought + 1, piece->word, piece->size);
    sought[piece->size + 1] = ' ';
    return strstr(list, sought) != NULL;
}

/* English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Polish, Russian, Greek;
 * the short forms, too. */
static const char hint_months[] =
    " january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
    " januar jänner februar märz mai juni juli oktober dezember mär mrz okt dez"
    " janvier février fevrier mars avril juin juillet août aout septembre octobre novembre décembre"
    " decembre janv févr fevr juil déc"
    " enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre noviembre"
    " diciembre ene abr ago dic"
    " gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre gen mag giu lug set "
    "ott"
    " janeiro fevereiro março marco maio junho julho setembro outubro novembro dezembro fev mai out"
    " januari februari maart mei augustus mrt"
    " februari april maj augusti"
    " stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada"
    " grudnia"
    " января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
    " ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου"
    " νοεμβρίου δεκεμβρίου ";

/* Words after which even a short number names a person's record. */
static const char hint_numbered[] =
    " mrn pid patid patientid dob ssn nhs chi ahv avs svnr kvnr bsn pesel nir nss dni nie cpf nuhsa"
    " fallnr aktenzeichen dossier ipp nip rut cedula cédula codice geb né née nacido born ";

/* Words of documents, pictures and medicine, which name nobody. */
static const char hint_documents[] =
    " a an and as at by de del der des die das du e el en et for from für fur in la las le les los "
    "mit"
    " no of on or po pour pre post the to und une un van von vs with y z zum zur"
    " abdomen abdominal acute adult after allergy anamnese anamnesis angio angiography ankle "
    "anonymous"
    " anon antibiogram aorta appendix arm arterial arzt arztbrief attachment audiogram audiogramm "
    "ax"
    " axial baseline bauch befund befunde before bericht bild bilder bilan biopsy biopsie biopsia "
    "blood"
    " blutbild bmp bone bones bpm brain breast brief brust bone cardiac cardio case cbc cervical "
    "chart"
    " chemo chest chirurgie cholesterol chronic clinic clinical colon compte consent consilium "
    "consult"
    " contrast control copy cor coronal cough course cranial cranium creatinine crp ct ctg culture"
    " curve cyto cytology data description diagnose diagnosis diagnostic discharge doc docs "
    "document"
    " documento documents doppler drawing drug duplex echo echocardiogram ecg eeg ekg elbow emg"
    " endoscopy entlassungsbrief epikrise epicrisis exam examination examen exams eye face "
    "fallbericht"
    " fascia feet femur fibula figure file final findings finger first flow foot form foto fotos "
    "front"
    " frontal fundus gastro genetics gfr graph haematology hand head hearing heart hematology "
    "hepatic"
    " hernia herz hip histo histologie histology history hospital hplc hüfte image imagen images "
    "imaging"
    " imagerie img informe infusion irm jaw joint kidney klinik kidney knee knie knochen kopf labor"
    " laborwerte laboratory labs lab lateral left leg lesion letter lettre leber links lipid list "
    "liste"
    " liver long lumbar lung lunge lungs lymph mamma mammography map marrow medical medication"
    " medikation medikamente medizin mri mrt mr ms muscle neck nephro neuro neurology node note "
    "notes"
    " notiz octopus oct oncology oncologie onko op operation opg opinion optic oral overview page "
    "pages"
    " pancreas part path pathologie pathology patient pelvis pet photo photos picture plan plot"
    " postop preop prescription preview prior profile prostate protocol protokoll psa pulmonary "
    "question"
    " radio radiograph radiology radiologia radiologie rapport rectum referral report reporte rendu"
    " renal result resultado resultados results resume retina review rezept rheuma rib right ro "
    "röntgen"
    " rontgen roentgen rx sag sagittal scan scans scheme schädel screenshot second section sequence"
    " series serie serum shoulder side single sinus skin skull slice slices slide smear sono"
    " sonography spect spine spirometry spleen sputum stain staging status stenosis stent stomach "
    "stress"
    " study summary supply surgery swelling table tabelle tac teeth temperature test tests text "
    "thorax"
    " thyroid tibia tissue tooth topogram toxicology trace treatment tumor tumour ulcer ultrasound"
    " ultraschall untitled update upper uric urine urin urology us uterus value values vein venous"
    " verlauf version view vision visit vitals wave werte white whole wound wrist wirbelsäule xray "
    "x"
    " zahn zusammenfassung zyto"
    " мрт кт узи экг анализ анализы выписка заключение снимок рентген крови"
    " μαγνητική αξονική ακτινογραφία εξετάσεις αίματος ";

/* ---- dates ---- */

static bool hint_is_year(unsigned year)
{
    return (year >= 1850 && year <= 2100) || (year >= 2400 && year <= 2643); /* Buddhist era */
}

static bool hint_is_day_and_month(unsigned a, unsigned b)
{
    return a >= 1 && b >= 1 && ((a <= 31 && b <= 12) || (a <= 12 && b <= 31));
}

static bool hint_is_month_and_day(unsigned month, unsigned day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool hint_is_date_together(const struct hint_piece *piece)
{
    unsigned n = piece->head;
    if (piece->count == 8 || piece->count == 12 || piece->count == 14) /* with a time, too */
        return (hint_is_year(n / 10000) && hint_is_month_and_day(n / 100 % 100, n % 100)) ||
               (hint_is_year(n % 10000) && hint_is_day_and_month(n / 1000000, n / 10000 % 100));
    return piece->count == 6 && (hint_is_month_and_day(n / 100 % 100, n % 100) ||
                                 hint_is_day_and_month(n / 10000, n / 100 % 100));
}

/* Three runs of digits side by side. */
static bool hint_is_date_apart(const struct hint_piece *a)
{
    const struct hint_piece *b = a + 1, *c = a + 2;
    if (b->kind != HINT_DIGITS || c->kind != HINT_DIGITS || b->count > 2 || !b->is_close ||
        !c->is_close)
        return false;
    bool is_year_first = (a->count == 4 && hint_is_year(a->number)) || a->count == 2;
    bool is_year_last = (c->count == 4 && hint_is_year(c->number)) || c->count == 2;
    return (is_year_first && c->count <= 2 && hint_is_month_and_day(b->number, c->number)) ||
           (is_year_last && a->count <= 2 && hint_is_day_and_month(a->number, b->number));
}

static bool hint_is_day_or_year(const struct hint_piece *piece)
{
    return piece->kind == HINT_DIGITS &&
           ((piece->count <= 2 && piece->number >= 1 && piece->number <= 31) ||
            (piece->count == 4 && hint_is_year(piece->number)));
}

/* A number before or after the month, also as in "12 de marzo". */
static bool hint_is_beside_number(const struct hint_name *name, size_t month)
{
    const struct hint_piece *piece = &name->pieces[month];
    if (month > 0 && hint_is_day_or_year(piece - 1))
        return true;
    if (month > 1 && piece[-1].kind == HINT_WORD && piece[-1].size == 2 &&
        (memcmp(piece[-1].word, "de", 2) == 0 || memcmp(piece[-1].word, "of", 2) == 0) &&
        hint_is_day_or_year(piece - 2))
        return true;
    return month + 1 < name->count && hint_is_day_or_year(piece + 1);
}

static bool hint_is_date(const struct hint_name *name, size_t i)
{
    const struct hint_piece *piece = &name->pieces[i];
    if (piece->kind == HINT_DIGITS)
        return hint_is_date_together(piece) || (i + 2 < name->count && hint_is_date_apart(piece));
    return piece->kind == HINT_WORD && hint_is_listed(hint_months, piece) &&
           hint_is_beside_number(name, i);
}

/* ---- numbers and persons ---- */

static bool hint_is_number(const struct hint_name *name, size_t i)
{
    const struct hint_piece *piece = &name->pieces[i];
    size_t count = 0;
    if (piece->kind != HINT_DIGITS || hint_is_date_together(piece))
        return false;
    if (piece->count >= 3 && i > 0 && piece[-1].kind == HINT_WORD &&
        hint_is_listed(hint_numbered, &piece[-1]))
        return true;
    for (size_t j = i; j < name->count && name->pieces[j].kind == HINT_DIGITS &&
                       (j == i || name->pieces[j].is_close);
         j++) {
        if (j > i && hint_is_date(name, j))
            break;
        count += name->pieces[j].count;
    }
    return piece->count >= 5 || (count >= 7 && !hint_is_date(name, i));
}

static bool hint_is_unknown(const struct hint_piece *piece)
{
    return piece->kind == HINT_WORD && piece->count >= 2 &&
           !hint_is_listed(hint_documents, piece) && !hint_is_listed(hint_months, piece) &&
           !hint_is_listed(hint_numbered, piece);
}

static bool hint_begins(const char *list, const struct hint_piece *piece)
{
    for (size_t i = 0; list[i] != '\0'; i += 3) { /* three bytes each */
        if (memcmp(piece->word, list + i, 3) == 0)
            return true;
    }
    return false;
}

static bool hint_holds(const char *list, const struct hint_piece *piece)
{
    for (size_t i = 0; list[i] != '\0'; i += 3) {
        char one[4] = {list[i], list[i + 1], list[i + 2], '\0'};
        if (strstr(piece->word, one) != NULL)
            return true;
    }
    return false;
}

static bool hint_is_person(const struct hint_name *name, size_t i)
{
    static const char han[] =
        "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董"
        "萧蕭程曹袁邓鄧许許傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎余潘杜戴夏钟鍾汪田任姜范方"
        "石姚谭譚廖邹熊金陆陸郝孔白崔康毛邱秦江史顾顧侯邵孟龙龍段雷钱錢汤尹黎易常武乔贺赖龚文佐铃鈴"
        "渡伊山";
    static const char medical[] =
        "病症炎癌瘤血检檢查验驗报報告片图圖像心肺肝肾腎脑腦化方案历歷诊診断療疗"
        "影术術药藥例件录錄表信手骨胃肠腸科院";
    static const char hangul[] = "김이박최정강조윤장임한오서신권황안송류전홍";
    const struct hint_piece *piece = &name->pieces[i];
    if (piece->kind == HINT_HAN)
        return piece->count >= 2 && piece->count <= 4 && hint_begins(han, piece) &&
               !hint_holds(medical, piece);
    if (piece->kind == HINT_HANGUL)
        return piece->count == 3 && hint_begins(hangul, piece);
    if (!hint_is_unknown(piece))
        return false;
    bool is_pair = i + 1 < name->count && hint_is_unknown(piece + 1);
    return is_pair || (piece->is_capital && piece->count >= 3);
}

/* ---- all of it ---- */

unsigned name_hints_of(struct bytes name)
{
    struct hint_name split;
    unsigned hints = 0;
    size_t size = name.size;
    while (size > 0 && name.data[size - 1] != '.')
        size--;
    hint_split((struct bytes){name.data, size > 1 ? size - 1 : name.size}, &split);
    for (size_t i = 0; i < split.count; i++) {
        hints |= hint_is_date(&split, i) ? 1u << NAME_HINT_DATE : 0;
        hints |= hint_is_number(&split, i) ? 1u << NAME_HINT_NUMBER : 0;
        hints |= hint_is_person(&split, i) ? 1u << NAME_HINT_PERSON : 0;
    }
    return hints;
}

const char *name_hints_text(enum name_hint hint)
{
    switch (hint) {
    case NAME_HINT_DATE:
        return "a date";
    case NAME_HINT_NUMBER:
        return "a number, such as that of a record";
    case NAME_HINT_PERSON:
        return "the name of a person";
    case NAME_HINT_COUNT:
        break;
    }
    return "";
}
