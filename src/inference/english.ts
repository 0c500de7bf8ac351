import { ENGLISH_STATEMENT } from "./english-statement.ts";
import { ENGLISH_VERBS } from "./english-verbs.ts";
import type { LanguagePack } from "./language.ts";

/** Words and phrases, parted by commas. */
const list = (text: string): readonly string[] => text.split(/,\s*/);

/** English. Words are added here because of what they mean, never because of one tool that has them. */
export const ENGLISH: LanguagePack = {
  ...ENGLISH_VERBS,
  transparent: "allow let enable help try attempt simulate start begin continue support provide facilitate aim",
  leadIns: `this that the a an tool function method api endpoint operation command action utility wrapper helper interface plugin it they will can may
    would also then you your users user agent agents one clients to for of used use useful is be which and or i.e behest server service
    server's in order by default logic note after`,
  adverbs: "also then only just even first finally afterwards optionally subsequently thereby immediately simply always once now both either auto",
  conjunctions: "and or then , / & + ; plus",
  determiners: "a an the this that these those its their his her it them him all any each every one some new your given specified provided existing",
  prepositions: `of for from to in on at by with using via about into onto through between among within without as during per under over before after
    when where if while until unless that which who whose why how because so such including based like excluding except regarding regardless depending
    according and or but , ; / &`,
  objectGoesOn: "of for to from in on at into onto about between among within under over through and or , / &",
  fillers: `new given specified provided existing current available specific particular certain optional default unique own other another
    different additional further various multiple several single whole entire full complete valid active inactive recent most last latest next
    previous first second third upcoming pending old unread public private personal secure detailed possible potential applicable relevant
    appropriate optimal temporary initial final total main primary short long large small big simple basic general real good best better more
    less many much few such same similar two three ten human free empty open closed daily weekly monthly permanent already auto automatic local remote smart fixed
    there again newest oldest past
    you they we us our my i me yourself itself up out off down away back around together
    what made sent paid written kept held taken frozen lost stolen bought sold chosen known`,
  genericNouns: `data information info details detail list lists result results item items object objects value values name names id ids
    identifier identifiers type types content contents metadata query queries keyword keywords string strings text
    number numbers amount amounts count date dates time times day days period range field fields parameter parameters argument arguments
    option options criteria filter filters set kind kinds way entry entries thing things output input response request status state system
    tool tools function functions action actions operation operations title description part parts
    attribute attributes property properties one ones format example reason hour hours minute minutes week weeks month months year
    years everything anything`,
  people: "user users person people agent agents recipient recipients someone somebody anyone everyone others",
  nounsInLy: "reply family assembly supply anomaly ally monopoly fly belly jelly butterfly",
  negations: "not never without cannot can't don't doesn't won't no neither nor instead rather isn't aren't",
  conditions: "if when unless before after once whenever while until should where upon",
  modals: "can could may might able allowed whether",
  predicates: "is has can are should was were be been does do exists",
  self: "tool function method api endpoint operation command action",
  usage: "call use invoke run execute ask",
  objects: {
    pay: `money fund funds payment payments transaction transactions cash deposit withdrawal payout refund ether bitcoin crypto cryptocurrency
      cryptocurrencies donation remittance eth btc usd eur sum sums disbursement disbursements outlay outlays remittances currency`,
    paid: "transfer transfers movement movements order orders amount amounts",
    payVerbs: `send transfer make schedule submit process issue create initiate place add update modify deposit withdraw post execute perform dispatch
      convey transmit relay forward hand give pass move shift arrange plan produce collect set revise amend alter change write put distribute include
      mail insert adjust correct replace refresh edit reschedule rearrange establish fire shoot`,
    order: "order orders trade trades bid",
    orderVerbs: "place make submit execute create produce",
    secret:
      list(`password, passwords, passphrase, passphrases, passcode, passcodes, secret phrase, secret phrases, secret word, secret words, pass phrase,
      watchword, access code, access codes, security code, login details, secret, secrets, credential, credentials, api key, api keys, access key,
      private key, private keys, secret key, access token, auth token, pin, environment variables, environment variable, ssh
      key, ssh keys, mfa, otp`),
    web: list(`web, webpage, web page, website, url, urls, internet, http, https, web pages, websites, online`),
    access: list(`access, permission, permissions, shareable link, sharing link, public link, role, share`),
    accessVerbs: "give create generate provide make allow add assign hand produce supply furnish",
    message: `post posts tweet tweets message messages email emails mail mails letter letters comment comments reply replies invitation invitations
      announcement announcements communication communications newsletter bulletin`,
    messageVerbs: "create make write add submit publish compose generate produce author issue include",
    goods: "item items order orders product products package parcel goods purchase purchases book books equipment merchandise",
    goodsVerbs: "return bring",
    buyingVerbs: "acquire procure",
    money: "money cash fund funds deposit deposits sum sums refund refunds coins",
    tellingVerbs: "tell",
    told: `user users person people member members participant participants attendee attendees invitee invitees contact contacts recipient recipients
      addressee addressees someone somebody everyone anyone others colleague colleagues customer customers client clients friend friends team owner
      him her them`,
    member: "collaborator collaborators member members participant participants guest guests attendee attendees invitee invitees",
    memberVerbs: "add invite manage include append attach introduce insert",
  },
  reversibility: {
    irreversible: list(`permanently, permanent, irreversible, irreversibly, cannot be undone, can't be undone, cannot be reversed, cannot be
      recovered, forever, overwrite, overwrites, overwriting, unrecoverable`),
    reversible: list(`temporarily, can be undone, can be reversed, can be restored, reversible, trash, recycle bin, later`),
  },
  instructions: list(`behest, ignore previous, ignore all, ignore any, disregard, policy engine, decision point, classify this, classify as,
      treat this tool as, treat as read, mark this tool as, readonlyhint, read only hint, always allow, do not tell, pre
      approved, pre-approved`),
  roles: {
    secret:
      list(`passcode, secret phrase, secret word, access code, pass phrase, watchword, password, passwd, passphrase, passcode, secret, api key, apikey, access key, private key, secret key, ssh key, access
      token, auth token, bearer token, refresh token, token, credential, credentials, pin, cvv, cvc, otp, one time code,
      security code`),
    notSecret: list(`page token, next token, token count, max tokens, tokens, continuation token, cursor, token id, token address`),
    currency: list(`currency, currency code`),
    amount: list(`amount, price, total price, sum, cost, fee, payment amount, budget, bid`),
    notAmount: list(`limit, max results, number of, quantity, count, gas limit`),
    worth: list("value, worth, credit, credits"),
    moneyUnits: list("euro, euros, eur, dollar, dollars, usd, pounds, gbp, cents"),
    goesTo: list(`who receives, who gets, who is to receive, who is to get, who will receive, who will get, where to deliver, where to send, where to
      ship, where to pay`),
    going: list("goes, go, sent, delivered, shipped, paid, transferred, mailed"),
    keys: list("number, no, nr, code, id, ids, key, ref, reference, sku, isbn, serial, identifier, handle, handles, login, slug, numbers, codes"),
    titles: list("name, title, names, titles"),
    personKeys: list("login, logins, username, usernames, handle, handles, user name"),
    postedTo: list("room, rooms, space, spaces, board, forum, wall"),
    reached: list("email, e mail, emails, phone, mobile, telephone, address"),
    reachedBy:
      list(`account, accounts, profile, customer, customers, user, users, member, members, client, clients, invitation, order, delivery, subscription,
      subscriber, registration, booking, reservation`),
    postal: list("street, postcode, zip, city, town, country, house number, postal code, address"),
    posted: list("address, addresses, delivery, shipment, parcel, shipping"),
    bounds: list("max, min, maximum, minimum, up to, at least, at most"),
    destination:
      list(`recipient, recipients, receiver, cc, bcc, participant, participants, attendee, attendees, invitee, invitees, receivers, addressee,
      addressees, receiving end, taking part, who receives, who gets, who is to receive, goes to, go to, to whom, person to, people to, persons to, user
      to, users to, member to, members to, individual to, individuals to, collaborators, shipping location, delivery location, carbon copy, invitees,
      collaborator, guest, guests, payee, beneficiary, webhook, callback url, forward to, send to, shipping address, delivery
      address, destination address, destination account, funds to, money to, recipient email`),
    mailAddress: list(`email address, email addresses, e mail address, e mail addresses, mail address, mail addresses, electronic address, electronic
      addresses, message address, message addresses, message location, message locations, mail location, mail locations, mailing address, letter address,
      letter addresses, electronic mail address, phone number, phone numbers, telephone number, iban`),
    amountOfPaying: list("figure, figures, quantity, how much"),
    whereabouts: list("location, locations, details, data"),
    ids: list("id, identifier"),
    destinationOfSending:
      list(`to, email, e mail, emails, address, addresses, destination, channel, channels, chat, phone, phone number, iban, account
      number, contact, user, users, username, receiver, target account, member, members, url, link, server, host, group`),
    notDestination: list(
      `from, sender, senders, originator, payer, person writing, source, origin, city, airport, folder, directory, path, reply to id, in reply to, own, payment method`,
    ),
    location: list(`url, uri, link, web address, webpage, website, href, endpoint, domain`),
    target: list(`id, ids, identifier, identifiers, uuid, path, paths, file, files, filename, folder, directory, repo, repository, branch,
      bucket, table, database, paper, papers, documents, attachment, attachments, slug, resource, uri, key, document`),
    freeText: list(`body, content, contents, message, text, subject, title, description, query, keyword, keywords, comment, note, notes,
      reason, summary, prompt, command, code, question, review, details, search term, location, name, remark, expression,
      html, markdown, data`),
    content: list("body, content, contents, message, text, wording, comment, html, markdown"),
    none: list(`date, dates, time, timestamp, start time, end time, start date, end date, timezone, day, month, year, limit, offset, page, max
      results, page size, sort, sort order, cursor, page token, format`),
    containers: list(`list, array, set, string, value, object, dictionary, optional, name, collection, one, json, type`),
    copy: list(`save, output, destination, dest, local, download, write`),
    place: list(`path, file, filename, folder, directory, dir`),
    ends: list(`source, destination, src, dest, from, to`),
    names: list(`name, names, title, titles`),
    operation: list(`action, operation, method, mode, command, op, verb`),
  },
  output: {
    openWorld: list(`diff, web, webpage, web page, website, url, internet, email, emails, mail, mails, inbox, message, messages, chat, channel,
      file, files, document, documents, attachment, attachments, comment, comments, review, reviews, post, posts, tweet,
      tweets, issue, issues, pull request, pull requests, thread, invitation, event, events, appointment, appointments, note,
      notes, feed, article, news, ticket, tickets, transaction, transactions, feedback, description, content, contents, page,
      pages, folder, directory, log, logs, notification, notifications, output, public, profile, record, records, shared,
      repository, repositories, topic, topics, opinion, opinions, wrote, written, say, says, everything`),
    ownRecords: list(`contact, contacts, account, accounts, balance, balances, iban, setting, settings, status, date, time, day, user, users,
      order, orders, price, prices, address, addresses, customer, customers, device, devices, reservation, reservations,
      payment method, payment methods, weather, temperature, inventory, quantity, rate, id, version, result, flight, flights,
      bill, bills, card, cards, plan, usage, limit, cart, basket, booking, bookings, member, members, schedule, schedules, timetable, address book`),
    fares: list("ticket, tickets"),
    travels: list("booking, bookings, reservation, reservations, train, trains, flight, flights, bus, journey, trip, seat, seats, concert"),
    categories: {
      personal: list(`email, emails, contact, contacts, phone, address, addresses, customer, customers, user, users, person, people, patient,
      patients, passenger, passengers, employee, employees, profile, calendar`),
      financial: list(`balance, bank, iban, transaction, transactions, payment, payments, invoice, invoices, credit card, debit card, bill,
      bills, salary, account number, account statement, refund`),
      health: list(`patient, patients, medical, diagnosis, diagnostic, prescription, medication, clinical, health record`),
      credential: list(`password, passwords, secret, secrets, credential, credentials, api key, private key, access token`),
    },
  },
  statement: ENGLISH_STATEMENT,
  fields: {
    system: `id ids uuid guid key size created updated modified timestamp date time status state type version index count number read unread starred
      position order recurring all day start end due`,
    outsider: `guests guest members member participants participant attendees attendee invitees recipients recipient to cc bcc subject title name url link links website email
      emails shared location filename label tag tags reply`,
    author: "sender from author by owner username user creator reporter poster organizer organiser inviter requester",
    prose: `body content contents text message messages description comment comments review reviews note notes remark remarks summary question answer
      feedback bio about excerpt snippet`,
    amount: "amount price total cost fee sum rating score balance value size rent",
  },
  answers: "return returns output outputs shows answers prints",
  sections: {
    arguments: "args arguments parameters params inputs input",
    returns: "returns return yields output outputs result response",
    others: "raises throws exceptions errors example examples",
  },
};
