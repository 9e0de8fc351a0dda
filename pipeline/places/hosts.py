"""Map services, and programs that share where somebody is, by the addresses of their links."""

# Hosts whose links show a place, or a way.  A path must follow: a name alone shows none.
_HOSTS = r"""
maps\.app\.goo\.gl  goo\.gl/maps  g\.page  g\.co/(?:kgs|maps)  share\.google
(?:maps|local|earth|mapsengine)\.google\.[a-z.]{2,7}
google\.[a-z.]{2,7}/(?:maps?|local|earth|search/maps)  maps\.googleapis\.com  maps\.google
plus\.codes  maps\.apple(?:\.com)?  findmy\.apple\.com  icloud\.com/(?:findmy|find|maps)
(?:find|guides)\.apple\.com
(?:wego|share|maps|m|www)\.here\.com  here\.com  her\.is  bing\.com/maps
maps\.bing\.com  binged\.it  (?:[a-z]+\.)?openstreetmap\.[a-z]{2,3}  osm\.[a-z]{2,4}  osmand\.net
osmapp\.org  opentopomap\.org  opencyclemap\.org  openseamap\.org  openrailwaymap\.org
opensnowmap\.org  overpass-turbo\.eu  geohack\.toolforge\.org  waze\.(?:com|to)
yandex\.[a-z.]{2,7}/(?:maps|navi|harita|karty|profile)  maps\.yandex\.[a-z.]{2,7}
2gis\.[a-z.]{2,7}  amap\.com  gaode\.com  (?:j\.)?map\.baidu\.com  map\.qq\.com  map\.sogou\.com
(?:m\.)?map\.naver\.com  naver\.me  (?:place\.)?map\.kakao\.com  kko\.to  kko\.kakao\.com
kakaomap\.com  map\.daum\.net  tmap\.life  mapy\.(?:cz|com)  komoot\.[a-z]{2,3}
strava\.com/(?:activities|routes|segments)  strava\.app\.link
(?:connect|share|livetrack|explore|inreach)\.garmin\.com  alltrails\.com  wikiloc\.com
outdooractive\.com  gaiagps\.com  ridewithgps\.com  bikemap\.net
mapmy(?:run|ride|walk|fitness|hike)\.com  relive\.cc  findpenguins\.com  polarsteps\.com
caltopo\.com  geocaching\.com  coord\.info  glympse\.com  life360\.com  what3words\.(?:com|de)
w3w\.(?:co|io)  omaps\.app  organicmaps\.app  comaps\.(?:app|at)  swisstopo\.app  ge0\.me  maps\.me
(?:plan|mydrive)\.tomtom\.com  mapquest\.[a-z.]{2,6}  mapq\.st  citymapper\.com
moovit(?:app)?\.com  petalmaps\.com  foursquare\.com/v  swarmapp\.com  4sq\.com
viamichelin\.[a-z.]{2,6}  mappy\.com  map\.search\.ch  (?:map|s)\.geo\.admin\.ch
geoportail\.gouv\.fr  streetmap\.co\.uk  (?:explore\.)?osmaps\.com  gridreferencefinder\.com
latlong\.net  geohash\.org  mapcode\.com  zoom\.earth  instantstreetview\.com  mapillary\.com
kartaview\.org  maps\.gsi\.go\.jp  mapion\.co\.jp  map\.yahoo\.co\.jp  navitime\.co\.jp
neshan\.org  balad\.ir  liveuamap\.com  deepstatemap\.live  windy\.com  geo\.fyi  karta\.ru
instagram\.com/explore/locations  facebook\.com/places  flickr\.com/map  earth\.app\.goo\.gl
wikimapia\.org  mapcarta\.com  suncalc\.org  findmespot\.com  spotwalla\.com  zen\.ly  ya\.ru/maps
fatmap\.com  plotaroute\.com  onthegomap\.com  uber\.com/looking  hitta\.se/kartan
kartor\.eniro\.se
(?:map|maps|karte|karten|mapa|mapas|carte|cartes|mappe|kartta|kart|kort|karta)\.[a-z0-9-]{2,40}\.[a-z]{2,10}
"""
HOST = (
    r"(?<![a-z0-9-])(?:"
    + "|".join(_HOSTS.split()).replace(r"\.", r" ?\. ?")
    + r")(?![a-z0-9-])(?: ?/ ?|[_?#:&])\S"
)
SCHEME = (
    r"(?<![a-z0-9])(?:comgooglemaps(?:-x-callback)?|googlemaps?|gmaps?|maps?|mapitem|waze|yandexmaps|"
    r"yandexnavi|dgis|dublgis|om|omaps|ge0|mapsme|mapswithme|baidumap|bdapp|iosamap|amapuri|androidamap|"
    r"qqmap|nmap|navermaps?|kakaomap|daummaps|kakaonavi|tmap|here(?:-route|-location|\.directions)?|"
    r"osmand(?:maps|\.api)?|citymapper|moovit|transit|(?:com\.)?sygic(?:\.aura)?|tomtom(?:go|home)?|"
    r"petalmaps|bingmaps|ms-(?:drive|walk)-to|google\.(?:navigation|streetview)|what3words|w3w|locus|"
    r"guru|magicearth|copilot|navigon|szn-mapy|mapycz|zenly|glympse|findmy|fmip1|neshan|balad|uber|lyft|line(?=://nv))"
    r":(?://|\?|[a-z]{1,6}=)[^\s]"
)
