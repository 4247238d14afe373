#include "node/identifiers/identifier_patterns.h"

#include <stddef.h>

#define DAY "(?:0?[1-9]|[12]\\d|3[01])"
#define MONTH "(?:0?[1-9]|1[0-2])"
#define YEAR "(?:1[89]|20)\\d\\d"
#define NO_DIGIT "(?<![\\p{Nd}.,/-])"

#define MONTH_NAME                                                                                 \
    "(?i:january|february|march|april|may|june|july|august|september|october|november|december|"   \
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|"                                               \
    "januar|jänner|februar|feber|märz|mai|juni|juli|oktober|dezember|mrz|okt|dez|"               \
    "janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|"         \
    "janv|févr|avr|juil|déc|"                                                                    \
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|"    \
    "diciembre|ene|abr|ago|dic|"                                                                   \
    "января|февраля|марта|апреля|мая|июня|июля|августа|сентября|октября|ноября|декабря)"

/* Only those that are no other word as well. */
#define MONTH_ALONE                                                                                \
    "(?:January|February|March|April|May|June|July|August|September|October|November|December|"    \
    "Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember|"                                         \
    "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|"     \
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)"

#define UNIT                                                                                           \
    "(?:/|%|‰|x\\b|×|·|\\*|个|拷贝|単位|単|万|円|"                                         \
    "(?:copies|cells|IU|IE|UI|U|units?|Einheiten|unités|unidades|[mµμuk]?[glL]|kg|mmol|[µμu]mol|" \
    "nmol|[µμu]?L|[µμu]l|m[lL]|dl|dL|fl|pg|ng|mGy|MBq|Bq|cps|Zellen|Kopien|cellules|células)"     \
    "(?!\\p{Latin}))"

#define STREET_EN                                                                                  \
    "(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Boulevard|Blvd|Court|Square|Way|Terrace|Close)"

#define TITLE                                                                                      \
    "(?:Mr|Mrs|Ms|Miss|Mister|Dr|Dres|Prof|Professor|Doctor|Herrn?|Frau|Mme|Mlle|Madame|Monsieur|" \
    "Sra?|Srta|Señora?|Doña|Docteur|Doctora?|Hr\\.|Fr\\.|Pr\\.|M\\.|Г-н|Г-жа)"
#define PARTICLE                                                                                   \
    "(?:(?:Dr|Prof|med|dent|Dipl|PD|von|van|den|de|del|der|la|le|di|da|dos|zu|el|al|bin)\\.?\\s{"  \
    "1,3})"
#define NAME "\\p{Lu}[\\p{L}\\p{Mn}'’-]{1,40}"

/* The commonest family names; of one character, those that begin few other words of medicine. */
#define FAMILY_ZH                                                                                                                             \
    "(?:欧阳|司马|上官|诸葛|司徒|东方|皇甫|尉迟|公孙|慕容|长孙|令狐|[王李张刘陈杨赵黄周吴徐孙胡朱"      \
    "林何郭马罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范" \
    "姚谭廖邹熊陆郝孔崔邱秦顾侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚文庞樊兰殷施陶洪翟颜倪严牛芦季俞" \
    "鲁葛韦毛岳齐梅庄辛管祝左涂谷祁耿牟卜詹关苗费纪靳盛童欧甄项屈鲍覃霍司柏])"
#define NOT_NAME_ZH                                                                                                                    \
    "(?!黄疸|黄染|陈旧|周围|周身|周期|任何|任意|万古|毛发|毛细|严重|武断|左侧|左上|左下|左肺|"       \
    "左肾|"                                                                                                                          \
    "左乳|关节|关于|余|管理|管腔|何时|何种|易|盛行|项|季节|文献|段|龙胆|马上|马尾|林巴|洪水|田间|" \
    "苏醒|梅毒|胡言|许多|欧|童年|费用|万)"
#define FAMILY_KO                                                                                  \
    "[김이박최정강조윤장임한오서신권황안송류홍전고문양손배백허유남심노하곽성차주우구민진]"

const struct identifier_pattern identifier_patterns[] = {
    /* ---- dates ---- */
    {IDENTIFIER_DATE, NO_DIGIT DAY "\\s?[./-]\\s?" MONTH "\\s?[./-]\\s?(?:" YEAR
                                   "|\\d\\d)(?![\\p{Nd}/-]|[.,]\\p{Nd})"},
    {IDENTIFIER_DATE, NO_DIGIT MONTH "[/-]" DAY "[/-](?:" YEAR "|\\d\\d)(?![\\p{Nd}/-])"},
    {IDENTIFIER_DATE,
     "(?<![\\p{Nd}.])" YEAR "\\s?[-./]\\s?" MONTH "\\s?[-./]\\s?" DAY "(?!\\p{Nd})"},
    {IDENTIFIER_DATE,
     "(?<!\\p{Nd})(?:19|20)\\d\\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])(?!\\p{Nd})"},
    {IDENTIFIER_DATE, NO_DIGIT MONTH "\\s?[./-]\\s?" YEAR "(?!\\p{Nd})"},
    {IDENTIFIER_DATE, "(?<![\\p{Nd}.])" YEAR "[-/]" MONTH "(?![\\p{Nd}/-])"},
    {IDENTIFIER_DATE,
     "(?<![\\p{Nd}.,])\\p{Nd}{1,2}(?:st|nd|rd|th|er|\\.)?[\\s-]{0,4}(?:of\\s{1,3}|de\\s{1,3}|d['’])"
     "?"
     "\\b" MONTH_NAME "\\b\\.?(?:[\\s,-]{0,4}(?:de\\s{1,3}|del\\s{1,3}|of\\s{1,3})?(?:" YEAR
     "|['’]\\d\\d)\\b)?"},
    {IDENTIFIER_DATE,
     "\\b" MONTH_NAME
     "\\.?[\\s-]{1,4}\\p{Nd}{1,2}(?:st|nd|rd|th)?\\b(?![.,/]\\p{Nd})(?!\\s{0,3}" UNIT
     ")(?:,?\\s{1,3}" YEAR "\\b)?"},
    {IDENTIFIER_DATE,
     "\\b" MONTH_NAME "\\.?[\\s,-]{0,4}(?:of\\s{1,3}|de\\s{1,3}|del\\s{1,3})?(?:" YEAR
     "\\b|['’]\\d\\d\\b)"},
    {IDENTIFIER_DATE,
     "\\b(?i:in|since|until|till|by|last|next|this|of|late|early|mid|im|seit|bis|ab|"
     "Anfang|Mitte|Ende|en|depuis|jusqu['’]en|fin|début|desde|hasta|de)[\\s-]{1,4}(" MONTH_ALONE
     ")\\b"},
    {IDENTIFIER_DATE,
     "\\b(?i:am|vom|zum|bis|seit|ab|den)\\s{1,3}(" DAY "\\.\\s?" MONTH "\\.)(?!\\p{Nd})"},
    {IDENTIFIER_DATE,
     "\\b(?i:on|since|until|le|du|el|desde)\\s{1,3}(" DAY "/" DAY ")(?![\\p{Nd}/])"},
    {IDENTIFIER_DATE, "\\p{Nd}{2,4}\\s{0,3}[年년]\\s{0,3}\\p{Nd}{1,2}\\s{0,3}[月월](?:份|\\s{0,3}"
                      "\\p{Nd}{1,2}\\s{0,3}[日号號일])?"},
    {IDENTIFIER_DATE,
     "(?<!\\p{Nd})\\p{Nd}{1,2}\\s{0,3}[月월]\\s{0,3}\\p{Nd}{1,2}\\s{0,3}[日号號일]"},
    {IDENTIFIER_DATE, "[去今前本昨]年\\s{0,3}[\\p{Nd}一二三四五六七八九十]{1,3}\\s{0,3}月(?:\\s{0,"
                      "3}\\p{Nd}{1,2}\\s{0,3}[日号])?"},
    {IDENTIFIER_DATE, "(?:[〇零一二三四五六七八九]{4}年)?[一二三四五六七八九十]{1,2}月"
                      "[一二三四五六七八九十]{1,3}[日号]"},
    {IDENTIFIER_DATE, "[〇零一二三四五六七八九]{4}年[一二三四五六七八九十]{1,2}月"},
    {IDENTIFIER_DATE, "(?:明治|大正|昭和|平成|令和)\\s{0,3}(?:\\p{Nd}{1,2}|元)\\s{0,3}年\\s{0,3}"
                      "\\p{Nd}{1,2}\\s{0,3}月"
                      "(?:\\s{0,3}\\p{Nd}{1,2}\\s{0,3}日)?"},
    {IDENTIFIER_DATE, "\\b[MTSHR]\\d{1,2}[./]" MONTH "[./]" DAY "\\b"},

    /* ---- ages ---- */
    {IDENTIFIER_AGE,
     "(?<![\\p{Nd}.,])(?:9\\d|1[0-3]\\d)[\\s-]{0,4}(?:years?[\\s-]{1,4}old|(?i:y/?o|yo|yrs?)\\b|"
     "jährig\\p{L}{0,40}|Jahre alt|ans\\b|años|岁|歳|才|세)"},
    {IDENTIFIER_AGE, "\\b(?i:aged?|age of|im Alter von|Alter|âgée?s? "
                     "de|edad|年龄|年齢)[\\s:：]{0,4}((?:9\\d|1[0-3]\\d))(?![\\p{Nd}.,])"},
    {IDENTIFIER_AGE,
     "\\b(?i:in (?:his|her|their) nineties|nonagenarian|centenarian|hundertjährig\\p{L}{0,40}|"
     "neunzigjährig\\p{L}{0,40}|nonagénaire|centenaire|nonagenari[oa]|centenari[oa])\\b"},

    /* ---- ways to reach somebody ---- */
    {IDENTIFIER_MAIL, "(?<![\\p{L}\\p{N}._%+-])[\\p{L}\\p{N}._%+-]{1,64}@[\\p{L}\\p{N}-]{1,63}(?:"
                      "\\.[\\p{L}\\p{N}-]{1,63}){1,8}"},
    {IDENTIFIER_MAIL, "(?<![\\p{L}\\p{N}._+-])[\\p{L}\\p{N}._+-]{1,64}\\s?[\\[(](?i:at|@)[\\])]\\s?"
                      "[\\p{L}\\p{N}.-]{1,64}"},
    {IDENTIFIER_WEB,
     "\\b(?i:https?|ftp|sftp)://"
     "[^\\s<>\"]{1,2000}[^\\s<>\".,;:)]|\\b(?i:www)\\.[^\\s<>\"]{1,2000}[^\\s<>\".,;:)]"},
    {IDENTIFIER_WEB, "(?<![a-z0-9.-])(?:[a-z0-9-]{1,63}\\.){1,6}(?:com|org|net|edu|gov|info|health|"
                     "de|ch|at|fr|es|uk|cn|jp|eu|"
                     "it|nl|be|us|ca|mx)\\b(?:/[^\\s<>\"]{0,2000}[^\\s<>\".,;:)])?"},
    {IDENTIFIER_WEB,
     "(?<![\\d.])(?:(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)\\.){3}(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)"
     "(?![\\d.]\\d)"},
    {IDENTIFIER_WEB,
     "\\b(?i:(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}|(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2})\\b"},
    {IDENTIFIER_PHONE, "(?<![\\p{Nd}.])\\+\\p{Nd}{1,3}(?:[\\s./()-]{0,3}\\p{Nd}){6,13}(?!\\p{Nd})"},
    {IDENTIFIER_PHONE,
     "(?i:\\btel(?:efon|efax|ephone|éfono)?\\b|\\btél(?:éphone)?\\b|\\bphone\\b|\\bmobile?\\b|"
     "\\bmobil\\b|\\bcell(?:ular)?\\b|\\bhandy\\b|\\bfax\\b|\\bmóvil\\b|\\bpager\\b|电话|電話|手机|"
     "传真|携帯|连絡先|連絡先)(?i:\\s?(?:no|nr|number|nummer|n[°º]))?[.:：\\s]{0,4}"
     "(\\+?\\p{Nd}(?:[\\s./()-]{0,3}\\p{Nd}){4,14})"},
    {IDENTIFIER_PHONE,
     NO_DIGIT "\\(?0\\p{Nd}{1,4}\\)?[\\s/-]\\p{Nd}{2,8}(?:[\\s-]?\\p{Nd}{2,4}){1,4}(?![\\p{Nd}])"},
    {IDENTIFIER_PHONE,
     "(?<![\\p{Nd}.,])\\(?\\p{Nd}{3}\\)?[\\s.-]\\p{Nd}{3}[\\s.-]\\p{Nd}{4}(?![\\p{Nd}])"},
    {IDENTIFIER_PHONE, "(?<!\\p{Nd})1[3-9]\\p{Nd}(?:[\\s-]?\\p{Nd}{4}){2}(?!\\p{Nd})"},

    /* ---- numbers ---- */
    {IDENTIFIER_NUMBER, "(?<!\\p{Nd})\\p{Nd}{3}-\\p{Nd}{2}-\\p{Nd}{4}(?!\\p{Nd})"},
    {IDENTIFIER_NUMBER, "(?<!\\p{Nd})756[. ]?\\p{Nd}{4}[. ]?\\p{Nd}{4}[. ]?\\p{Nd}{2}(?!\\p{Nd})"},
    {IDENTIFIER_NUMBER, "(?<!\\p{Nd})[12]\\s?\\p{Nd}{2}\\s?\\p{Nd}{2}\\s?\\p{Nd}[\\p{Nd}AB]\\s?\\p{"
                        "Nd}{3}\\s?\\p{Nd}{3}"
                        "(?:\\s?\\p{Nd}{2})?(?!\\p{Nd})"},
    {IDENTIFIER_NUMBER, "(?<!\\p{Nd})\\p{Nd}{17}[\\p{Nd}Xx](?!\\p{Nd})"},
    {IDENTIFIER_NUMBER, "\\b[A-Z]{2}\\d{2}(?:\\s?[A-Z0-9]{4}){3,7}(?:\\s?[A-Z0-9]{1,3})?\\b"},
    {IDENTIFIER_NUMBER, "\\b[XYZ]?\\d{7,8}-?[A-Z]\\b"},
    {IDENTIFIER_NUMBER,
     "(?i:\\b(?:MRN|PID|UHID|NHS|NHC|SSN|AHV|KVNR|NIR|DNI|NIE|"
     "(?:patient|case|record|file|chart|hospital|admission|accession|insurance|policy|member|"
     "account|"
     "passport|serial|lot|batch|device|licen[cs]e|invoice|order|specimen|sample|study|exam)"
     "(?:'s)?[\\s-]{0,4}(?:ID|no|nos|nr|num|number|plate|#)|"
     "Fallnummer|Patientennummer|Versichertennummer|Versicherungsnummer|Auftragsnummer|"
     "Aktenzeichen|"
     "Seriennummer|Kontonummer|Kennzeichen|Befundnummer|Eingangsnummer|"
     "(?:Fall|Pat|Vers|Ausweis|Konto|Befund|Journal|E)\\.?-?(?:ID|Nr)|"
     "num[ée]ro de (?:dossier|sécurité sociale|patient)|dossier|IPP|NIP|matricule|"
     "historia(?: clínica)?|expediente|póliza|número de (?:historia|paciente|afiliado|cuenta))\\b|"
     "S/"
     "N|病历号|病案号|住院号|门诊号|检查号|影像号|登记号|身份证号?|医保号|床号|患者ID|患者番号|"
     "診察券番号|"
     "カルテ番号|保険者番号|被保険者番号|検査番号)(?i:\\s?(?:no|nr|n[°º]|number))?[\\s.:#：]{0,4}"
     "([A-Z]{0,5}[-/ ]?\\p{Nd}[\\p{Nd}A-Z/.-]{0,23}[\\p{Nd}A-Z])"},
    {IDENTIFIER_NUMBER,
     "(?<![\\p{L}\\p{Nd}.,/_-])\\p{Nd}{6,64}(?![\\p{Nd}]|[.,]\\p{Nd})(?!\\s?" UNIT ")"},
    {IDENTIFIER_NUMBER,
     "\\b(?!NCT|NM|NP|NC|NG|ENS|COSM|COSV|ICD|OMIM|PMID|CHEMBL|HGNC|COVID)[A-Z]{1,4}[-/]?"
     "\\d{4,24}[A-Z0-9-]{0,24}\\b"},
    {IDENTIFIER_NUMBER, "(?<![\\d.])[0-2](?:\\.\\d{1,39}){5,32}"},

    /* ---- places ---- */
    {IDENTIFIER_PLACE,
     "\\b\\d{1,5}[a-z]?\\s{1,3}(?:\\p{Lu}[\\p{L}'’.-]{1,40}\\s{1,3}){1,3}" STREET_EN "\\b"},
    {IDENTIFIER_PLACE, "\\b\\p{Lu}[\\p{L}.-]{0,40}(?:str\\.|stra(?:ß|ss)e|weg|platz|gasse|allee|"
                       "ufer|damm|steig)\\s{0,3}"
                       "\\d{1,4}\\s?[a-z]?\\b"},
    {IDENTIFIER_PLACE, "\\b\\p{Lu}[\\p{L}-]{1,40}\\s{1,3}(?:Stra(?:ß|ss)e|Str\\.|Platz|Allee|Weg|"
                       "Gasse)\\s{0,3}\\d{1,8}"},
    {IDENTIFIER_PLACE,
     "\\b(?:\\d{1,4}(?:\\s?(?:bis|ter))?,?\\s{1,3})?(?i:rue|avenue|boulevard|impasse|chemin|quai)"
     "\\s{1,3}(?:de\\s{1,3}la\\s{1,3}|de\\s{1,3}l['’]|du\\s{1,3}|des\\s{1,3}|de\\s{1,3})?" NAME
     "(?:\\s{1,3}" NAME ")?"},
    {IDENTIFIER_PLACE, "\\b(?i:calle|avenida|avda\\.?|plaza|paseo|carretera|c/"
                       ")\\s{0,3}(?:de\\s{1,3}(?:la\\s{1,3}|los\\s{1,3}|"
                       "las\\s{1,3})?|del\\s{1,3})?" NAME "(?:\\s{1,3}" NAME
                       ")?(?:[,\\s]{1,4}(?:n[.º°]{0,2}\\s{0,3})?\\d{1,8})?"},
    {IDENTIFIER_PLACE, "\\b(?:D|A|CH|F|E|DE|AT|FR|ES)-\\d{4,5}\\b(?:\\s{1,3}" NAME ")?"},
    {IDENTIFIER_PLACE, NO_DIGIT "\\d{5}\\s{1,3}(?!Einheiten|Zellen|Kopien)\\p{Lu}\\p{Ll}{2,40}"},
    {IDENTIFIER_PLACE, "\\b[A-Z]{1,2}\\d[A-Z\\d]?\\s\\d[A-Z]{2}\\b"},
    {IDENTIFIER_PLACE, "\\b(?:" NAME ",?\\s{1,3})?[A-Z]{2}\\s{1,3}\\d{5}(?:-\\d{4})?\\b"},
    {IDENTIFIER_PLACE, "〒\\s{0,3}\\p{Nd}{3}-?\\p{Nd}{4}"},
    {IDENTIFIER_PLACE,
     "\\b(?!The\\b|Our\\b|A\\b|In\\b|At\\b|General\\s{1,3}Hospital|University\\s{1,3}Hospital\\s{1,"
     "3}"
     "(?!\\p{Lu})|District\\s{1,3}Hospital|Day\\s|Field\\s)(?:" NAME
     "\\.?\\s{1,3}){1,4}(?:Hospitals?|Clinic|Infirmary|Hospice|Sanatorium|Nursing Home|"
     "(?:Medical|Health|Cancer|Heart|Trauma|Care)\\s{1,3}Cent(?:er|re)|Klinik|Spital|"
     "Krankenhaus)\\b"},
    {IDENTIFIER_PLACE,
     "\\b(?:Universitätsspital|Universitätsklinik(?:um)?|Uniklinik(?:um)?|Klinikum|Klinik|"
     "Kantonsspital|Inselspital|Stadtspital|Kreiskrankenhaus|Krankenhaus|Spital|Charité)"
     "\\s{1,3}(?:der\\s{1,3}|am\\s{1,3}|in\\s{1,3}|zu\\s{1,3})?(?!Für\\b)" NAME},
    {IDENTIFIER_PLACE,
     "\\b(?:Hôpital|Hôpitaux|Clinique|CHU|CHRU|CHU?V|Hospital|Clínica|Sanatorio|Policlínico)"
     "\\s{1,3}(?:(?:de|des|du|del|la|las|los|le|les|universitaire|universitario|general|"
     "général|clínico)\\s{1,3}|de\\s{1,3}l['’]|d['’]){0,6}" NAME "(?:[\\s-]{1,4}" NAME "){0,4}"},
    {IDENTIFIER_PLACE, "(?:^|[于在到至从往由自赴转，。、；：\\s(（])((?![于在到至从往由自赴转]|"
                       "当地|外地|本地|我们|其他|"
                       "该院|某|上级|基层|多家|大型)"
                       "\\p{sc:Han}{2,12}?(?:医院|卫生院|诊所|医疗中心))"},
    {IDENTIFIER_PLACE, "(?![于在到至从往由自赴来住])\\p{sc:Han}{2,4}?[省市县区]\\p{sc:Han}{0,8}?(?:"
                       "医院|卫生院|诊所|医疗中心)"},
    {IDENTIFIER_PLACE,
     "(?!大学病院|総合病院|当院|他院|近医|専門)[\\p{sc:Han}\\p{sc:Katakana}ー]{2,14}(?<!総合)(?<!"
     "大学)"
     "(?:病院|クリニック|診療所|医療センター)|\\p{sc:Han}{2,6}大学(?:医学部)?(?:附属)?病院"},
    {IDENTIFIER_PLACE, "(?![于在到至从往由自赴来住])\\p{sc:Han}{2,4}(?:省|自治区|自治州)|(?<!\\p{"
                       "sc:Han})(?!城市|超市|上市)\\p{"
                       "sc:Han}{2,3}[市县縣](?!场)|"
                       "(?:来自|[住在于到从自])\\s?((?!自)\\p{sc:Han}{2,6}?[市县村镇乡])"},
    {IDENTIFIER_PLACE,
     "\\p{sc:Han}{1,8}(?:路|街|大道|巷|弄)\\s{0,3}\\p{Nd}{1,8}\\s{0,3}(?:号|弄|室)"},
    {IDENTIFIER_PLACE,
     "北海道|東京都|京都府|大阪府|\\p{sc:Han}{2,3}県(?:\\p{sc:Han}{1,4}[市区郡])?|\\p{Nd}{1,8}丁目|"
     "(?<!\\p{sc:Han})\\p{sc:Han}{2,4}市(?=[のにでか、。在へ\\p{sc:Han}\\s]|$)"},

    /* ---- persons ---- */
    {IDENTIFIER_PERSON,
     "\\b" TITLE "\\.?\\s{1,3}(?!Kolleg|Professor|Doktor|Mitte|Anfang|Ende)" PARTICLE "{0,4}(" NAME
     "(?:[\\s-]{1,4}" PARTICLE "?" NAME ")?)"},
    {IDENTIFIER_PERSON, "\\b(?i:mr|mrs)\\.?\\s{1,3}(\\p{L}{2,40})"},
    {IDENTIFIER_PERSON,
     "\\b(?i:(?:(?:sur|first|last|family|given|maiden|patient'?s?)[\\s-]?)?name[sd]?(?:\\s{1,3}is)?"
     "|"
     "(?:Vor|Nach|Familien)?name|namens|genannt|geborene|nommée?|nom|prénom|llamad[oa]|"
     "nombre|apellidos?|signed|gez\\.|geb\\.)\\s{0,3}:?\\s{1,3}(" NAME "(?:[\\s,]{1,4}" NAME
     "){0,4})"},
    {IDENTIFIER_PERSON, "\\bnée\\s{1,3}(" NAME ")"},
    {IDENTIFIER_PERSON,
     "\\b(?:[Pp]atient(?:in)?|[Pp]aciente|[Pp]atiente)\\s{1,3}(?:[Mm]r\\.?\\s{1,3})?((?:"
     "\\p{Lu}\\.\\s?){2,3})"},
    {IDENTIFIER_PERSON,
     "(?:患者|病人|病患|姓名|家属|联系人|医生|医师|主任|教授|父亲|母亲|丈夫|妻子)\\s{0,3}[:：]?\\s{"
     "0,3}"
     "(" NOT_NAME_ZH FAMILY_ZH "\\p{sc:Han}{1,2})(?=[，,。；;、\\s(（]|$|男|女|于|因|自|来|说|在)"},
    {IDENTIFIER_PERSON,
     "(" FAMILY_ZH
     "\\p{sc:Han}{0,2}?)(?:先生|女士|小姐|太太|医生|医师|主任|教授|大夫|护士|某某|某)"},
    {IDENTIFIER_PERSON, "(?<!\\p{sc:Han})(" NOT_NAME_ZH FAMILY_ZH
                        "\\p{sc:Han}{1,2})(?=[，,、\\s]\\s{0,3}(?:男|女|\\p{Nd}{1,3}\\s{0,3}岁))"},
    {IDENTIFIER_PERSON, "姓\\s{0,3}(" FAMILY_ZH ")"},
    {IDENTIFIER_PERSON,
     "(?!患者|皆|家族|子供|お|ご|医師|看護師|配偶者|本人)(\\p{sc:Han}{1,4}[\\s　]?[\\p{sc:Han}\\p{"
     "Hiragana}"
     "\\p{sc:Katakana}ー]{0,3}?)(?<!患者)(?<!家族)(?<!医師)(?<!皆)(?<!護師)(?<!奥)(?<!息子)(?<!娘)("
     "?<!"
     "母)"
     "(?<!父)(?<!業者)(?:さん|殿|君(?!\\p{sc:Han})|(?<![同多仕模異一各有])様(?![々相子式態]))"},
    {IDENTIFIER_PERSON, "([\\p{sc:Katakana}ー]{2,8})(?:さん|様|氏)"},
    {IDENTIFIER_PERSON, "(?!担当|主治|他科|前医|紹介|専門|当科)(\\p{sc:Han}{2,4})(?<!担当)(?<!"
                        "主治医の)(?:先生|医師|教授)(?!\\p{sc:Han})"},
    {IDENTIFIER_PERSON,
     "(?:氏名|患者名|名前|姓名|担当医|主治医|フリガナ)\\s{0,3}[:：は]\\s{0,3}([\\p{sc:Han}"
     "\\p{sc:Hiragana}\\p{sc:Katakana}ー　]{2,10}?)"
     "(?=[、。，,;；\\s(（]|$)"},
    {IDENTIFIER_PERSON, "(" FAMILY_KO "\\p{sc:Hangul}{1,2})\\s?(?:씨|님|선생님|교수)"},
    {0, NULL},
};
