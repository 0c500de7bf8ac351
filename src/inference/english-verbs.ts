import type { LanguagePack } from "./language.ts";

/** Words and phrases, parted by commas. */
const list = (text: string): readonly string[] => text.split(/,\s*/);

type VerbWords = Pick<
  LanguagePack,
  | "verbs"
  | "weak"
  | "fetching"
  | "information"
  | "questions"
  | "wholes"
  | "relatives"
  | "marking"
  | "seeing"
  | "making"
  | "placing"
  | "setting"
  | "replacing"
  | "containers"
  | "inwards"
  | "opening"
  | "charging"
  | "charged"
  | "outwards"
  | "baskets"
  | "describing"
  | "nounLike"
  | "light"
  | "lightObjects"
  | "phrases"
  | "particles"
  | "irregular"
>;

/** The verbs of English by what somebody does who does them to things on a computer: as documentation says it, and as people do. */
export const ENGLISH_VERBS: VerbWords = {
  verbs: {
    read: `get fetch retrieve read list search find look lookup query show display view return describe count check verify validate inspect
      see compare calculate compute estimate predict analyze analyse summarize summarise translate detect classify
      identify determine measure evaluate recommend suggest explain preview enumerate filter sort lint diff discover locate
      obtain examine review tell answer receive access parse tokenize extract investigate forecast explore grep cat tail
      peek poll diagnose audit browse know learn aggregate simulate benchmark watch track monitor print echo load scan
      download consult ask test open observe recall wait sleep think
      yield itemize itemise peruse skim ascertain present visualize visualise tabulate assess appraise gauge survey study seek hunt pinpoint trace
      recognize recognise distinguish interpret decode decipher infer deduce quantify tally inquire enquire interrogate probe spot scour proofread`,
    browse: "navigate crawl scrape surf",
    create: `create add insert append new generate make build draft write save store upload import log note record register copy clone duplicate
      open start begin launch initialize initialise initiate schedule book reserve submit file compose produce export capture
      attach install provision deploy enroll enrol subscribe follow like star vote rate save bookmark queue enqueue fork branch commit spawn
      allocate issue request instantiate prepare report remind remember memorize embed index seed join plan snapshot compile
      order apply
      establish assemble construct craft devise form found author pen jot scribble sketch draw include incorporate introduce affix annex enclose
      supplement arrange secure set originate inscribe transcribe define append sow`,
    update: `update modify change edit set adjust alter amend replace rename move reschedule toggle enable disable activate deactivate
      reactivate suspend resume pause unpause freeze unfreeze lock unlock block unblock mute unmute pin unpin archive unarchive restore reset
      restart reboot refresh configure assign unassign reassign approve deny reject accept decline confirm acknowledge dismiss mark
      unmark flag unflag tag untag label merge close reopen complete finish resolve patch put upsert connect disconnect reconnect pair mount
      unmount sync synchronize control turn switch increase decrease raise lower extend shorten renew upgrade downgrade fix
      correct convert exchange swap organize organise sort clear clean process handle manage maintain link unlink
      scale resize rotate crop format refactor rewrite overwrite migrate transform click type press drag hover select
      scroll fill play stop skip rewind refill recharge refuel replenish top credit debit adopt override transition rebase checkout push
      stage stash undo redo revert rollback unsubscribe unfollow unlike leave exit quit detach separate split join reorder
      prioritize escalate waive promote demote advance trigger adapt customize customise personalize put place
      input enter reseat reinsert insert eject remount void fulfill fulfil ship reply sign inject bind unbind unshare
      revise tweak rework refine reshape recast retitle relabel rephrase reword polish postpone defer delay shift relocate rearrange
      reposition substitute supersede tune calibrate regulate administer administrate govern oversee supervise fire`,
    delete: `delete remove erase purge drop destroy clear wipe trash discard cancel terminate kill revoke uninstall unregister deregister
      truncate empty expire evict prune detach withdraw abort unpublish unlist shred obliterate annul rescind retract scrub nuke
      flush eradicate deallocate decommission deprovision close
      eliminate extinguish expunge efface strike cut toss bin dump ditch junk scrap axe nullify invalidate repeal expel oust exclude strip abandon forgo
      unset`,
    send: `send email mail message post publish tweet retweet reply respond forward notify alert broadcast dm text sms call dial phone fax
      announce submit comment deliver transmit contact ping page transfer relay push report invite crosspost stream emit
      escalate hand
      dispatch convey circulate distribute disseminate courier inform advise warn brief apprise nudge remind summon ring`,
    share: "share grant permit authorize authorise delegate expose publicize confer entrust disclose divulge whitelist allowlist entitle empower",
    pay: `pay purchase buy sell trade wire deposit withdraw refund reimburse charge donate tip bid invest stake swap checkout remit
      reward bill spend lend borrow redeem
      settle disburse compensate fund finance repay prepay subsidize sponsor loan`,
    credential: "authenticate login impersonate",
    execute: "execute run eval evaluate exec invoke call script sudo spawn shell",
  },
  weak: "track monitor watch open load scan consult ask test print use simulate resolve wait sleep think audit process observe try",
  fetching: "bring grab pull gather collect collate acquire procure give hand supply furnish provide offer serve surface pass reveal scan consult",
  information: `list lists detail details particulars specifics information info data record records entry entries result results status state history
    balance balances number numbers name names identifier identifiers id ids address addresses iban count total summary overview statistics stats
    metrics report reports file files document documents paper papers content contents text email emails mail mails letter letters message messages
    correspondence note notes event events appointment appointments meeting meetings engagement engagements session sessions booking bookings
    reservation reservations calendar agenda schedule diary contact contacts transaction transactions statement statements bill bills price
    prices rate rates quote quotes review reviews rating ratings description descriptions link links url urls page pages article articles news
    picture pictures photo photos image images comment comments post posts channel channels log logs profile profiles user users member members
    people account accounts device devices setting settings option options weather forecast temperature date day time hotel hotels
    restaurant restaurants flight flights directory folder folders value values version versions
    slot slots gathering gatherings communication communications card cards metadata location locations direction directions element elements body
    bodies wording wordings cost costs fee fees preference preferences mode usage disbursement disbursements outlay outlays payment payments
    referral referrals ticket tickets issue issues thread threads feed notification notifications customer customers employee employees
    patient patients person persons individual individuals product products feedback attachment attachments answer answers inventory limit limits
    availability area areas city cities country countries title titles cuisine type types kind kinds tag tags currency
    conversation conversations chat chats invoice invoices receipt receipts recipe recipes subscription subscriptions plan plans
    requirement requirements criteria reason reasons score scores rank ranking rankings recommendation recommendations suggestion suggestions insight insights advice analysis airport airports`,
  questions: "what which who whom whose whether how when where if",
  wholes: "everything all",
  relatives: "of which whose who",
  seeing: "read view see open peruse retrieve",
  marking: "marked flagged counted shown",
  making: `create make write compose generate draft open publish register record log submit issue save add insert append new build send email mail
    message post reply comment upload import define produce start plan schedule note remind copy clone duplicate branch commit store file`,
  placing: "add put insert append move place include",
  setting: "set change update modify edit adjust rename replace alter amend configure",
  replacing: "overwrite overwrites overwritten replaced replaces",
  containers: `room rooms channel channels group groups team teams repository repositories repo repos workspace workspaces project projects organization
    organizations organisation organisations board boards space spaces chat conversation server circle`,
  inwards: "to into in",
  opening: "open load visit",
  charging: "charge bill debit",
  charged: `card cards account accounts wallet method methods customer customers client clients user users guest guests traveller you fee fees
    deposit price amount total`,
  outwards: "from out off",
  baskets: "cart carts basket baskets list lists wishlist playlist queue favourites favorites watchlist selection",
  describing: "include contain hold cover comprise feature carry form",
  nounLike: `transfer request order schedule record report update change share post comment message email mail document charge credit debit deposit
    book block file log note set call display view check quote test run text page push alert bid tip trade wire bill phone label tag flag
    pin lock link issue copy clone draft plan query search list count filter star rate vote fork branch commit snapshot index fill play stop
    type press click drag place top access answer review show return exchange purchase stake reward sort format fix patch start
    new open clear close clean complete like empty drop trash contact control switch turn lower stage tweet input dispatch ship store build score rank profile forecast tail cat
    note find reset refund upgrade downgrade increase decrease move trigger process handle scale script shell stream sms fax dm
    expire need watch track save
    present secure trace study survey tally spot probe form found author pen sketch draw set arrange cut bin dump scrap strike strip toss junk axe fire
    fund finance brief ring sponsor loan supply surface pass pull seek hunt shift delay yield table`,
  light:
    "run perform do execute make conduct carry process handle manage operate call invoke use take give initiate start place issue trigger give hand pass offer administer administrate govern oversee supervise",
  lightObjects: {
    read: `look glance search lookup check test query analysis verification validation calculation comparison estimate diagnostic diagnostics scan inspection
      benchmark audit review measurement`,
    pay: "payment payments transaction transactions transfer transfers purchase donation refund deposit withdrawal payout order orders",
    send: "call calls post",
    share: "access permission permissions",
    execute: "command commands code script scripts shell program terminal function sql tool tools job workflow statement",
  },
  phrases: {
    retrieve:
      list(`scan for, scan through, look up, look for, look through, look over, look at, look into, look in, look around, take a look, have a look, take stock,
      find out, search out, search through, seek out, dig out, dig up, hunt down, hunt for, track down, trace back, sniff out, ferret out, root through, go through, go
      over, run through, leaf through, flick through, flip through, page through, skim through, comb through, sift through, rummage through, dig
      through, sort through, scroll through, work through, trawl through, list out, read out, read through, read over, read back, read off, spell out,
      point out, single out, pick out, come back with, report back with, get hold of, get sight of, keep an eye on, keep track of, keep tabs on,
      get a list of, get back to you with, be told, click through to see`),
    check: list(
      `establish whether, establish if, establish what, establish which, establish how, check for, check if, check whether, check on, check over, check up on, check through, make sure, see if, see whether`,
    ),
    calculate: list(`work out, figure out, add up, tot up, count up, size up, weigh up, reckon up`),
    bring: list(`give back, hand back, pass back, send back, bring back, bring in, bring up, bring out, bring over, bring forth, pull up, pull out,
      pull in, pull down, pull together, pull through, get back, get together, turn up, turn out, throw back, serve up, dish
      up, report back, feed back, fetch back, come up with, set out, put forth, pick up, call up, gather up, round up, lay hands on`),
    give: list(`hand over, give over, turn over, pass over, deliver up, give up, hand up`),
    create: list(`check in, sign up, set up, back up, start up, put together, lay out, spin up, draw up, make up, stand up, bring about, bring into
      being, come up with a new, roll out, build up, think up, dream up, mock up, whip up, knock together, put in place`),
    write: list(`write down, write up, note down, jot down, put down, set down, take note of, make a note, put in writing, put on record, type up`),
    add: list(`put in, put into, slot in, slot into, tack on, tack onto, stick on, stick in, add on, add in, bolt on, work in, fit in, throw in, drop in,
      paste in, place in, build in, put on, write in, pencil in, tag on, put on top`),
    schedule: list(`line up, put on the calendar, put in the calendar, put in the diary, set a date for, fix a date for, make an appointment for, make
      arrangements for, set aside`),
    update:
      list(`check out, turn on, turn off, switch on, switch off, switch over, opt in, opt out, roll back, fill in, fill out, mark as, make changes to,
      make a change, make edits to, make adjustments to, bring up to date, bring up-to-date, touch up, tidy up, fix up, freshen up, patch up, swap out,
      swap over, change over, change around, take care of, look after, deal with, see to, attend to, turn down, scale up, scale down`),
    reschedule:
      list(`push back, put back, put off, bring forward, move back, move forward, hold over, move to another, move to a different, move to a new,
      shift to another, shift to a different`),
    delete:
      list(`clean up, clean out, shut down, take down, take away, take off, take out, wipe out, wipe away, wipe off, wipe clean, throw away, throw out,
      get rid of, get rid, do away with, dispose of, clear out, clear away, clear off, rub out, cross out, cross off, strike off, strike out,
      strike from, strip out, strip away, strip off, root out, weed out, tear down, tear up, cut out, cut off, toss out, toss away, kill off,
      kick out, boot out, leave out, break up, let go of, make an end of, put an end to, bring to an end, wind up, bin off, close down`),
    cancel: list(`call off, cry off, back out of, pull out of, pull the plug`),
    login: list(`log in, log into, sign in, sign into, log on`),
    send: list(`mail out, post out, email out, ship out, send out, send off, send over, send along, send on, fire off, shoot off, shoot over, pass on, pass along, get across, put across, drop a
      line, drop a note, put through, carry over to, see off`),
    forward: list("forward on, hand on, move on to"),
    notify: list(`reach out, get in touch, let know, keep informed, keep posted, bring to the attention, bring to the notice, give a heads up, give
      notice, fill in on, follow up with, get back to, put in the picture, make aware, give a ring, give a call, ring up, phone up, speak to,
      talk to, write to, write back`),
    publish: list("put up, put out, put online, go live with, get the word out, put about"),
    invite: list("ask along, bring along, ask in, ask over, have over, ask to join, ask to attend, ask to come"),
    share:
      list(`make available, make accessible, make public, make visible, open up, let in, let see, let view, let others, let somebody, let someone, let
      people, give out, hand out, sign over, throw open`),
    transfer: list("move over, move across, shift over, make over, carry over, bring across, wire over"),
    pay: list(`pay off, pay out, pay for, pay back, pay in, pay up, top up, check out cart, settle up, square up, cash in, cash out, shell out, fork out,
      fork over, stump up, cough up, chip in, put down a deposit, make a payment, foot the bill`),
    execute: list(`carry out, kick off, set off, set in motion, set going, set running, fire up, put into effect, put into action, act out`),
    save: list("store away, put away, file away, save locally, keep a copy"),
  },
  particles:
    "up down out off away back over together available accessible public visible known know posted informed aside along across forward around see view",
  irregular:
    list(`send sent, get got gotten, give gave given, take took taken, write wrote written, pay paid, buy bought, sell sold, bring brought, find
    found, make made, throw threw thrown, tell told, spend spent, lend lent, withdraw withdrew withdrawn, draw drew drawn, strike struck, tear
    tore torn, build built, rewrite rewrote rewritten, overwrite overwritten, undo undid undone, redo redone, leave left, freeze froze frozen, seek
    sought, hide hidden, wind wound, dig dug, stick stuck, sow sown, cut cut, run ran, lay laid, keep kept, do done, go gone`),
};
