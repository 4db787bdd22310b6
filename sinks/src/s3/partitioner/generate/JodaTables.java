import java.io.*;
import java.nio.file.*;
import java.text.*;
import java.util.*;
import java.util.zip.GZIPOutputStream;
import org.joda.time.*;
import org.joda.time.format.*;
import org.joda.time.tz.*;

/**
 * Writes what the time-based partitioner takes from Java, with Joda-Time 2.13.1 on JDK 17:
 *
 *   java -cp joda-time-2.13.1.jar JodaTables.java words joda/words.txt
 *   java -cp joda-time-2.13.1.jar JodaTables.java zones joda/zones.txt
 *   java -cp joda-time-2.13.1.jar JodaTables.java names joda/names.gz
 *   java -cp joda-time-2.13.1.jar JodaTables.java cases 77 2400 joda/cases.txt
 *
 * The last one takes a seed and a count. Directories are made as TimeBasedPartitioner makes them.
 */
public class JodaTables {
  static final List<String> PATTERNS = List.of(
      "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "yyyy-MM-dd HH:mm:ss.SSS ZZ", "YYYY/MMM/E/HH", "xxxx-'W'ww-e",
      "EEEE dd MMMM YYYY hh a", "G YY yy xx C D", "YYYY-MM-dd'T'HH:mmZ", "ZZZ/yyyy/MM/dd/HH", "kk KK hh a m s S",
      "''yyyy''MM'o''clock'", "MMMM", "MMM", "EEEE", "E", "a", "G");
  static final List<String> HISTORIC = List.of("America/Los_Angeles", "America/New_York", "Asia/Kolkata", "Asia/Tokyo",
      "Australia/Lord_Howe", "Europe/London", "Europe/Paris");
  /** Databases call the summer of these standard time, or the winter; only names of zones show it. */
  static final List<String> DISPUTED = List.of("Africa/Casablanca", "Africa/El_Aaiun", "Africa/Windhoek", "Europe/Dublin");
  /** Whether all zones are asked for times before 1970. */
  static final boolean IS_HISTORIC = Boolean.getBoolean("historic");
  static final String LETTERS = "GCxwyYEeDMdaKhHkmsSZ";

  public static void main(String[] args) throws Exception {
    if (args[0].equals("names")) {
      try (OutputStream file = Files.newOutputStream(Path.of(args[1]))) {
        names(file);
      }
      return;
    }
    try (PrintWriter out = new PrintWriter(args[args.length - 1], "UTF-8")) {
      switch (args[0]) {
        case "words" -> words(out);
        case "zones" -> zones(out);
        default -> cases(Long.parseLong(args[1]), Integer.parseInt(args[2]), out);
      }
    }
  }

  /** Languages, then eras, months, short months, days from Monday, short days and halves of the day. */
  static void words(PrintWriter out) {
    Map<String, List<String>> languages = new LinkedHashMap<>();
    languages.computeIfAbsent(symbols(Locale.ROOT), key -> new ArrayList<>()).add("");
    for (String language : languages()) {
      languages.computeIfAbsent(symbols(new Locale(language)), key -> new ArrayList<>()).add(language);
    }
    languages.forEach((words, names) ->
        out.println((names.contains("") ? "" : String.join(",", names)) + "\t" + words));
  }

  static TreeSet<String> languages() {
    TreeSet<String> all = new TreeSet<>(List.of(Locale.getISOLanguages()));
    for (Locale locale : Locale.getAvailableLocales()) {
      all.add(locale.getLanguage());
    }
    all.remove("");
    // A locale is made of its text alone, which Java may give another name.
    all.addAll(List.of("iw", "in", "ji", "no", "tl"));
    return all;
  }

  static String symbols(Locale locale) {
    DateFormatSymbols symbols = DateFormatSymbols.getInstance(locale);
    List<String> all = new ArrayList<>(List.of(symbols.getEras()).subList(0, 2));
    all.addAll(List.of(symbols.getMonths()).subList(0, 12));
    all.addAll(List.of(symbols.getShortMonths()).subList(0, 12));
    for (String[] days : List.of(symbols.getWeekdays(), symbols.getShortWeekdays())) {
      all.addAll(List.of(days).subList(2, 8));
      all.add(days[1]);
    }
    all.addAll(List.of(symbols.getAmPmStrings()).subList(0, 2));
    if (all.stream().anyMatch(word -> word.contains("\t") || word.contains("\n"))) {
      throw new IllegalStateException(locale + ": a word holds a separator");
    }
    return String.join("\t", all);
  }

  /** Links: id, tab, zone. Zones: short and long, standard and summer, of English and of no language; ids. */
  static void zones(PrintWriter out) {
    for (String id : new TreeSet<>(DateTimeZone.getAvailableIDs())) {
      String zone = DateTimeZone.forID(id).getID();
      if (!zone.equals(id)) {
        out.println(id + "\t" + zone);
      }
    }
    for (TreeSet<String> ids : groups()) {
      String first = ids.first();
      out.println(names(first, new Locale("en")) + "\t" + names(first, Locale.ROOT) + "\t" + String.join(" ", ids));
    }
  }

  /** Zones that have the same names in all languages, in the order of zones.txt. */
  static List<TreeSet<String>> groups() {
    Map<String, TreeSet<String>> idsByNames = new TreeMap<>();
    List<Locale> locales = new ArrayList<>(List.of(new Locale("en"), Locale.ROOT));
    languages().forEach(language -> locales.add(new Locale(language)));
    for (String id : new TreeSet<>(DateTimeZone.getAvailableIDs())) {
      if (DateTimeZone.forID(id).getID().equals(id)) {
        StringBuilder all = new StringBuilder();
        locales.forEach(locale -> all.append(names(id, locale)).append('\n'));
        idsByNames.computeIfAbsent(all.toString(), key -> new TreeSet<>()).add(id);
      }
    }
    return List.copyOf(idsByNames.values());
  }

  /**
   * Of each language whose names are others than those of no language, gzip: the languages that share them, and
   * below them a line per group of zones. A name as in English is "=".
   */
  static void names(OutputStream file) throws IOException {
    List<TreeSet<String>> groups = groups();
    Map<String, List<String>> languages = new LinkedHashMap<>();
    for (String language : languages()) {
      StringBuilder all = new StringBuilder();
      for (TreeSet<String> ids : groups) {
        String[] own = names(ids.first(), new Locale(language)).split("\t", -1);
        String[] english = names(ids.first(), new Locale("en")).split("\t", -1);
        for (int at = 0; at < own.length; at++) {
          all.append(at == 0 ? "" : "\t").append(own[at].equals(english[at]) ? "=" : own[at]);
        }
        all.append('\n');
      }
      languages.computeIfAbsent(all.toString(), key -> new ArrayList<>()).add(language);
    }
    try (Writer out = new OutputStreamWriter(new GZIPOutputStream(file) {{ def.setLevel(9); }}, "UTF-8")) {
      for (Map.Entry<String, List<String>> entry : languages.entrySet()) {
        out.write("#" + String.join(",", entry.getValue()) + "\n" + entry.getKey());
      }
    }
  }

  /** Short and long, standard and summer. */
  static String names(String id, Locale locale) {
    DefaultNameProvider provider = new DefaultNameProvider();
    List<String> all = new ArrayList<>();
    for (boolean isStandard : new boolean[] {true, false}) {
      for (String name : Arrays.asList(provider.getShortName(locale, id, "", isStandard),
          provider.getName(locale, id, "", isStandard))) {
        if (name != null && (name.contains("\t") || name.contains("\n") || name.contains("#") || name.equals("="))) {
          throw new IllegalStateException(locale + ": a name holds a separator");
        }
        all.add(name == null ? "" : name);
      }
    }
    return String.join("\t", all);
  }

  static void cases(long seed, int count, PrintWriter out) {
    Random random = new Random(seed);
    List<String> ids = new ArrayList<>(new TreeSet<>(DateTimeZone.getAvailableIDs()));
    List<String> languages = new ArrayList<>(languages());
    languages.addAll(List.of("EN", "en_US", "en-US", "zz", "de_DE", "Fr"));
    List<Long> durations = List.of(3_600_000L, 86_400_000L, 600_000L, 1_500_000L, 1L, 7_200_001L, 21_600_000L, 604_800_000L);
    while (count > 0) {
      String id = random.nextInt(8) == 0 ? offset(random) : random.nextInt(6) == 0 ? HISTORIC.get(random.nextInt(HISTORIC.size())) : ids.get(random.nextInt(ids.size()));
      DateTimeZone zone;
      try {
        zone = DateTimeZone.forID(id);
      } catch (IllegalArgumentException refused) {
        out.println(id + "\t!");
        count--;
        continue;
      }
      boolean namesZones = random.nextInt(6) == 0 && !DISPUTED.contains(zone.getID());
      String language = languages.get(random.nextInt(languages.size()));
      String pattern = namesZones ? "z|zzzz|ZZZ" : pattern(random);
      DateTimeFormatter formatter = DateTimeFormat.forPattern(pattern).withZone(zone).withLocale(new Locale(language));
      long duration = durations.get(random.nextInt(durations.size()));
      // Before 1970 databases of time zones differ about zones that are one by now.
      boolean hasHistory = zone.isFixed() || HISTORIC.contains(zone.getID()) || IS_HISTORIC;
      for (int time = 0; time < 4; ) {
        long instant = instant(zone, random);
        if (instant < 31_536_000_000L && !hasHistory) {
          continue;
        }
        time++;
        count--;
        long local = (zone.convertUTCToLocal(instant) / duration) * duration;
        long start = zone.convertLocalToUTC(local, false);
        out.println(String.join("\t", id, language, pattern, "" + duration, "" + instant, new DateTime(start).toString(formatter)));
      }
    }
  }

  static String pattern(Random random) {
    if (random.nextBoolean()) {
      return PATTERNS.get(random.nextInt(PATTERNS.size()));
    }
    StringBuilder text = new StringBuilder();
    for (int letters = 1 + random.nextInt(4); letters > 0; letters--) {
      String letter = "" + LETTERS.charAt(random.nextInt(LETTERS.length()));
      text.append(letter.repeat(1 + random.nextInt(random.nextInt(9) == 0 ? 20 : 5))).append("/- _='!'".charAt(random.nextInt(5)));
    }
    return text.toString();
  }

  static String offset(Random random) {
    String sign = random.nextBoolean() ? "+" : "-";
    String digits = String.format(List.of("%02d", "%02d%02d", "%02d:%02d", "%02d:%02d:%02d", "%d", "%02d:%02d:%02d.%03d", "%02d%02d%02d", "%02d:%d", "%02d%02d%02d%d", "%02d:").get(random.nextInt(10)),
        random.nextInt(26), random.nextInt(62), random.nextInt(62), random.nextInt(1000));
    return List.of("", "", "UTC", "GMT", "UT", "Z", "gmt").get(random.nextInt(7)) + sign + digits;
  }

  static long instant(DateTimeZone zone, Random random) {
    long at = switch (random.nextInt(8)) {
      case 0 -> random.nextLong() >> (1 + random.nextInt(24));
      case 1 -> (long) (random.nextDouble() * 4e12) - 2_500_000_000_000L;
      default -> (long) (random.nextDouble() * 2.2e12);
    };
    long transition = zone.nextTransition(at);
    if (random.nextInt(4) == 0 || Math.abs(transition) > Long.MAX_VALUE / 2) {
      return at;
    }
    long[] steps = {1, 1000, 60_000, 1_800_000, 3_600_000};
    return transition + steps[random.nextInt(steps.length)] * (random.nextInt(9) - 4);
  }
}
