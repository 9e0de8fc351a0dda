"""The words around a position, in the languages that people write mails in.

Each is a piece of a regular expression over folded text (lower case, no accents).
"""

from pipeline.places.folding import fold_words

NORTH = fold_words(
    "n s north south northern southern northerly southerly nord sud süd norte sur sul norden"
    " süden noord zuid norra södra nördlich nördlicher südlich südlicher nördl. südl."
    " nördliche südliche settentrionale meridionale septentrional с ю сш юш с._ш. ю._ш."
    " северной южной север юг півн півд пн пд 北 南 شمال جنوب شمالا جنوبا ش ج צפון דרום उत्तर"
    " दक्षिण βόρεια νότια β ν kuzey güney pohjoista eteläistä bắc nam เหนือ ใต้ 북 남 północ"
    " południe północna południowa lu ls utara selatan n.lat. s.lat. n._br. s._br. lat._n"
    " lat._s lat._nord lat._norte s.š. j.š. észak dél é.sz. d.sz."
)
EAST = fold_words(
    "e w o v ø ö east west eastern western easterly westerly ost osten westen est ouest este"
    " oeste leste ovest oost öster väst vest øst öst östlich östlicher westlich westlicher"
    " östl. westl. östliche westliche orientale occidentale oriental occidental в з вд зд"
    " в._д. з._д. восточной западной восток запад сх зх 東 东 西 شرق غرب شرقا غربا ق غ מזרח"
    " מערב पूर्व पश्चिम ανατολικά δυτικά α δ doğu batı itäistä läntistä đông tây ตะวันออก"
    " ตะวันตก 동 서 wschód zachód wschodnia zachodnia bt bb timur barat e.long. w.long. e._l."
    " ö._l. w._l. o._l. lon._e lon._w long._e long._w v.d. z.d. kelet nyugat k.h. ny.h."
)
DEGREES = fold_words(
    "° deg deg. degs degree degrees grad grade grader graden grados grado gradi graus grau"
    " degré degrés градусов градуса gr градус град гр 度 도 درجة derece stopni stopień stupňů"
    " stupně astetta องศา độ डिग्री מעלות fok"
)
MINUTES = fold_words(
    "' min min. mins minute minutes minuten minutos minuto minuti minuut минут минуты минута"
    " мин 分 분 دقيقة دقائق dakika phút นาที मिनट דקות perc minut minuter minuty minuttia m"
)
SECONDS = fold_words(
    "\" '' sec sec. secs second seconds seconde secondes secondi sekunde sekunden sek sek."
    " segundos segundo seconden секунд секунды секунда сек 秒 초 ثانية saniye giây วินาที"
    " सेकंड שניות sekund sekunder sekundy másodperc sekuntia s"
)
# Words that mean nothing but a coordinate.
LATITUDE = fold_words(
    "latitude latitud latitudine breitengrad breitengrade широта широты широти 纬度 緯度 北緯"
    " 南緯 北纬 南纬 위도 북위 남위 γεωγραφικό_πλάτος enlem breddegrad breddgrad breedtegraad"
    " lintang zeměpisná_šířka szerokość_geograficzna szer._geogr. leveysaste vĩ_độ ละติจูด"
    " अक्षांश קו_רוחב خط_العرض دائرة_العرض szélesség geogr._breite geographische_breite latit"
)
LONGITUDE = fold_words(
    "longitude longitudine längengrad längengrade laengengrad долгота долготы довгота 经度"
    " 經度 経度 東経 西経 東經 西經 东经 西经 경도 동경 서경 γεωγραφικό_μήκος boylam"
    " lengdegrad længdegrad longitudgrad lengtegraad bujur zeměpisná_délka"
    " długość_geograficzna dł._geogr. pituusaste kinh_độ ลองจิจูด देशांतर קו_אורך خط_الطول"
    " geogr._länge geographische_länge longit"
)
# Words that mean a coordinate beside the other, and else a length, years or a name.
WEAK_LATITUDE = fold_words("lat mlat slat φ breite широта bredd leveys")
WEAK_LONGITUDE = fold_words(
    "lon lng long λ mlon mlng slon slng longitud länge laenge longg długość"
)
POSITION = fold_words(
    "gps icbm geo.position coordinate coordinates coords coord koordinate koordinaten koordinat"
    " koordinater coordenadas coordonnées coordinaten coordinate coordinata координаты координати"
    " координатами 坐标 座標 좌표 إحداثيات الموقع konum koordinatlar współrzędne souřadnice"
    " koordináták निर्देशांक co-ordinates latlng latlon latlong bbox ll sll"
    " geotag geolocation geoposition gpsposition gps-position gpscoordinates"
    " waypoint wpt trkpt rtept linestring multipoint polygon point gps-koordinaten gps-daten"
    " position_gps posizione_gps gps-position"
)
PLACE = fold_words(
    "position pos location loc locus standort ubicación posición localisation emplacement"
    " luogo posizione localização posição местоположение локация местонахождение 位置 위치"
    " موقع local_pin center centre cp q daddr saddr destination origin viewpoint pin marker"
    " dropped_pin"
)
# Grids of a country or of the world, which are recognized only under their names.
GRID = fold_words(
    "utm mgrs usng lv95 lv03 ch1903 ch1903+ swissgrid swiss_grid swiss_coordinates"
    " landeskoordinaten schweizer_koordinaten gauss-krüger gauß-krüger gauss_krüger"
    " gauß_krüger gauss-krueger dhdn gk2 gk3 gk4 gk5 etrs89 osgb osgb36 os_grid"
    " os_grid_reference os_grid_ref os_ref british_national_grid national_grid irish_grid ngr"
    " grid_ref grid_reference grid_refs gridref gitterreferenz planquadrat rijksdriehoek"
    " rd_new rd-coördinaten lambert_93 lambert93 lambert_72 sweref sweref99 sweref_99 rt90"
    " tm35fin etrs-tm35fin kkj nztm nztm2000 easting eastings northing northings rechtswert"
    " hochwert ostwert nordwert jtsk s-jtsk gda94 gda2020 mga krovak epsg itm bng hk1980 twd97"
    " puwg pl-1992"
)
CODE = fold_words(
    "maidenhead qth qth-locator qth_locator qra locator grid_square gridsquare grid_locator"
    " geohash geohash-36 georef gars mapcode natural_area_code h3_index h3_cell s2_cell"
    " s2_cell_id s2_token pluscode plus_code plus_codes open_location_code place_id placeid"
    " query_place_id ftid"
)
W3W = fold_words("what3words w3w what_3_words what3word w3words")
CURRENCY = "(?:usd|eur|euro|euros|gbp|chf|jpy|cny|inr|brl|rub|cad|aud|sek|nok|dkk|pln|btc|eth)"
# A number before one of these is not a coordinate.
UNIT = (
    "(?:(?<!\\d{5}) ?(?:m|g|l|v)(?![^\\W_])|(?: ?(?:%|€|£|¥|[$]"
    f"|(?:{CURRENCY}|kg|mg|lb|lbs|oz|km|cm|mm|nm|mi|ft|ml|ms|hz|khz|mhz|ghz|fps|db|lufs|mb|gb|kb|tb|kbps|mbps|px"
    "|mv|ma|kw|kwh|kj|kcal|pa|hpa|bar|rpm|bpm|mph|kmh|kn|min|minutes|seconds|sec|hours|years"
    "|points|percent|prozent|pct|sekunden|° ?[cfk])(?![^\\W_])"
    "|s(?=[\\W_]{1,5}[-+]?\\d{1,3}[.,]\\d{1,20} ?s(?![^\\W_])))))"
)
# What follows a word for a coordinate before its number.
BETWEEN = (
    "(?:is|was|at|of|in|on|to|the|are|ist|war|bei|auf|es|est|en|value|decimal|degrees?|deg"
    "|dezimal|grad|ref|unit|double|float|type|number|wgs ?84|wgs|dd|dms|north|south|east|west"
    "|n|s|e|w|e[5-7]|approx|approximately|about|circa|ca|zone|my|our|grid|square|reference|code"
    "|index|nr|no|zm?|lat|lon|lng)"
)
