"""The same sixteen sentences in the languages that are translated from most: what a converted model is tried on."""

SENTENCES = {
    "en": """
Good morning!
Where is the nearest railway station?
The museum is closed on Mondays.
She has lived in this city for more than twenty years.
Please send me the documents before Friday.
I would like two tickets to London, please.
The price rose by 3.5 percent last year.
We could not find the file that you asked for.
He opened the window because it was too warm in the room.
Children under 12 years of age travel free of charge.
The committee will discuss the new proposal at its next meeting.
If you have any questions, do not hesitate to call us.
Scientists have discovered a new kind of frog in the mountains.
Thank you very much for your help.
The old bridge was destroyed by a flood in 1954 and rebuilt ten years later.
Click the button to save your changes.
""",
    "de": """
Guten Morgen!
Wo ist der nächste Bahnhof?
Das Museum ist montags geschlossen.
Sie lebt seit mehr als zwanzig Jahren in dieser Stadt.
Bitte schicken Sie mir die Unterlagen vor Freitag.
Ich hätte gern zwei Fahrkarten nach Berlin.
Der Preis ist im letzten Jahr um 3,5 Prozent gestiegen.
Wir konnten die gesuchte Datei nicht finden.
Er öffnete das Fenster, weil es im Zimmer zu warm war.
Kinder unter 12 Jahren fahren kostenlos.
Der Ausschuss wird den neuen Vorschlag in seiner nächsten Sitzung besprechen.
Wenn Sie Fragen haben, rufen Sie uns bitte an.
Forscher haben in den Bergen eine neue Froschart entdeckt.
Vielen Dank für Ihre Hilfe.
Die alte Brücke wurde 1954 durch ein Hochwasser zerstört und zehn Jahre später wieder aufgebaut.
Klicken Sie auf die Schaltfläche, um Ihre Änderungen zu speichern.
""",
    "fr": """
Bonjour !
Où se trouve la gare la plus proche ?
Le musée est fermé le lundi.
Elle vit dans cette ville depuis plus de vingt ans.
Veuillez m'envoyer les documents avant vendredi.
Je voudrais deux billets pour Paris, s'il vous plaît.
Le prix a augmenté de 3,5 % l'année dernière.
Nous n'avons pas trouvé le fichier que vous avez demandé.
Il a ouvert la fenêtre parce qu'il faisait trop chaud dans la pièce.
Les enfants de moins de 12 ans voyagent gratuitement.
Le comité examinera la nouvelle proposition lors de sa prochaine réunion.
Si vous avez des questions, n'hésitez pas à nous appeler.
Des chercheurs ont découvert une nouvelle espèce de grenouille dans les montagnes.
Merci beaucoup pour votre aide.
Le vieux pont a été détruit par une inondation en 1954 et reconstruit dix ans plus tard.
Cliquez sur le bouton pour enregistrer vos modifications.
""",
    "es": """
¡Buenos días!
¿Dónde está la estación de tren más cercana?
El museo está cerrado los lunes.
Ella vive en esta ciudad desde hace más de veinte años.
Por favor, envíeme los documentos antes del viernes.
Quisiera dos billetes para Madrid, por favor.
El precio subió un 3,5 por ciento el año pasado.
No pudimos encontrar el archivo que usted pidió.
Abrió la ventana porque hacía demasiado calor en la habitación.
Los niños menores de 12 años viajan gratis.
El comité discutirá la nueva propuesta en su próxima reunión.
Si tiene alguna pregunta, no dude en llamarnos.
Los científicos han descubierto una nueva especie de rana en las montañas.
Muchas gracias por su ayuda.
El viejo puente fue destruido por una inundación en 1954 y reconstruido diez años después.
Haga clic en el botón para guardar los cambios.
""",
    "pt": """
Bom dia!
Onde fica a estação de trem mais próxima?
O museu está fechado às segundas-feiras.
Ela vive nesta cidade há mais de vinte anos.
Por favor, envie-me os documentos antes de sexta-feira.
Queria dois bilhetes para Lisboa, por favor.
O preço subiu 3,5 por cento no ano passado.
Não conseguimos encontrar o ficheiro que pediu.
Ele abriu a janela porque estava muito calor no quarto.
As crianças com menos de 12 anos viajam de graça.
A comissão vai discutir a nova proposta na sua próxima reunião.
Se tiver alguma pergunta, não hesite em ligar para nós.
Os cientistas descobriram uma nova espécie de rã nas montanhas.
Muito obrigado pela sua ajuda.
A velha ponte foi destruída por uma cheia em 1954 e reconstruída dez anos depois.
Clique no botão para guardar as suas alterações.
""",
    "it": """
Buongiorno!
Dov'è la stazione ferroviaria più vicina?
Il museo è chiuso il lunedì.
Lei vive in questa città da più di vent'anni.
Per favore, mi mandi i documenti prima di venerdì.
Vorrei due biglietti per Roma, per favore.
Il prezzo è aumentato del 3,5 per cento l'anno scorso.
Non siamo riusciti a trovare il file che ha chiesto.
Ha aperto la finestra perché nella stanza faceva troppo caldo.
I bambini sotto i 12 anni viaggiano gratis.
Il comitato discuterà la nuova proposta nella prossima riunione.
Se avete domande, non esitate a chiamarci.
Gli scienziati hanno scoperto una nuova specie di rana in montagna.
Grazie mille per il vostro aiuto.
Il vecchio ponte fu distrutto da un'alluvione nel 1954 e ricostruito dieci anni dopo.
Fare clic sul pulsante per salvare le modifiche.
""",
    "nl": """
Goedemorgen!
Waar is het dichtstbijzijnde station?
Het museum is op maandag gesloten.
Ze woont al meer dan twintig jaar in deze stad.
Stuur mij de documenten alstublieft voor vrijdag.
Ik wil graag twee kaartjes naar Amsterdam.
De prijs is vorig jaar met 3,5 procent gestegen.
We konden het bestand dat u zocht niet vinden.
Hij deed het raam open omdat het te warm was in de kamer.
Kinderen onder de 12 jaar reizen gratis.
De commissie zal het nieuwe voorstel tijdens haar volgende vergadering bespreken.
Als u vragen hebt, kunt u ons gerust bellen.
Wetenschappers hebben in de bergen een nieuwe kikkersoort ontdekt.
Hartelijk dank voor uw hulp.
De oude brug werd in 1954 door een overstroming verwoest en tien jaar later herbouwd.
Klik op de knop om uw wijzigingen op te slaan.
""",
    "ru": """
Доброе утро!
Где находится ближайший вокзал?
Музей закрыт по понедельникам.
Она живёт в этом городе больше двадцати лет.
Пожалуйста, пришлите мне документы до пятницы.
Два билета до Москвы, пожалуйста.
В прошлом году цена выросла на 3,5 процента.
Мы не смогли найти нужный вам файл.
Он открыл окно, потому что в комнате было слишком жарко.
Дети до 12 лет ездят бесплатно.
Комитет обсудит новое предложение на следующем заседании.
Если у вас есть вопросы, позвоните нам.
Учёные открыли в горах новый вид лягушек.
Большое спасибо за вашу помощь.
Старый мост был разрушен наводнением в 1954 году и восстановлен десять лет спустя.
Нажмите кнопку, чтобы сохранить изменения.
""",
    "uk": """
Доброго ранку!
Де найближчий вокзал?
Музей зачинений у понеділок.
Вона живе в цьому місті понад двадцять років.
Будь ласка, надішліть мені документи до п'ятниці.
Два квитки до Києва, будь ласка.
Минулого року ціна зросла на 3,5 відсотка.
Ми не змогли знайти потрібний вам файл.
Він відчинив вікно, бо в кімнаті було надто тепло.
Діти до 12 років їздять безкоштовно.
Комітет обговорить нову пропозицію на наступному засіданні.
Якщо у вас є запитання, зателефонуйте нам.
Учені відкрили в горах новий вид жаб.
Дуже дякую за вашу допомогу.
Старий міст зруйнувала повінь у 1954 році, а через десять років його відбудували.
Натисніть кнопку, щоб зберегти зміни.
""",
    "pl": """
Dzień dobry!
Gdzie jest najbliższy dworzec?
Muzeum jest zamknięte w poniedziałki.
Ona mieszka w tym mieście od ponad dwudziestu lat.
Proszę przesłać mi dokumenty przed piątkiem.
Poproszę dwa bilety do Warszawy.
W zeszłym roku cena wzrosła o 3,5 procent.
Nie mogliśmy znaleźć pliku, o który pan prosił.
Otworzył okno, ponieważ w pokoju było za ciepło.
Dzieci poniżej 12 lat podróżują bezpłatnie.
Komisja omówi nową propozycję na następnym posiedzeniu.
Jeśli mają państwo pytania, proszę do nas zadzwonić.
Naukowcy odkryli w górach nowy gatunek żaby.
Dziękuję bardzo za pomoc.
Stary most został zniszczony przez powódź w 1954 roku i odbudowany dziesięć lat później.
Kliknij przycisk, aby zapisać zmiany.
""",
    "tr": """
Günaydın!
En yakın tren istasyonu nerede?
Müze pazartesi günleri kapalıdır.
Yirmi yıldan fazla bir süredir bu şehirde yaşıyor.
Lütfen belgeleri cuma gününden önce bana gönderin.
Ankara'ya iki bilet istiyorum, lütfen.
Geçen yıl fiyat yüzde 3,5 arttı.
İstediğiniz dosyayı bulamadık.
Oda çok sıcak olduğu için pencereyi açtı.
12 yaşından küçük çocuklar ücretsiz seyahat eder.
Komite yeni öneriyi bir sonraki toplantısında görüşecek.
Sorularınız varsa lütfen bizi arayın.
Bilim insanları dağlarda yeni bir kurbağa türü keşfetti.
Yardımınız için çok teşekkür ederim.
Eski köprü 1954'te bir selde yıkıldı ve on yıl sonra yeniden yapıldı.
Değişikliklerinizi kaydetmek için düğmeye tıklayın.
""",
    "zh": """
早上好！
最近的火车站在哪里？
博物馆星期一不开放。
她在这座城市住了二十多年。
请在星期五之前把文件发给我。
我想买两张去北京的票。
去年价格上涨了3.5%。
我们找不到您要的文件。
因为房间里太热，他打开了窗户。
12岁以下的儿童免费乘车。
委员会将在下次会议上讨论新的提案。
如果您有任何问题，请给我们打电话。
科学家在山里发现了一种新的青蛙。
非常感谢您的帮助。
那座旧桥在1954年被洪水冲毁，十年后重建。
点击按钮保存您的更改。
""",
    "ja": """
おはようございます。
一番近い駅はどこですか。
博物館は月曜日は休みです。
彼女はこの町に二十年以上住んでいます。
金曜日までに書類を送ってください。
東京までの切符を二枚お願いします。
昨年、価格は3.5パーセント上がりました。
お探しのファイルは見つかりませんでした。
部屋が暑すぎたので、彼は窓を開けました。
12歳未満の子供は無料です。
委員会は次の会議で新しい提案について話し合います。
ご質問がありましたら、お電話ください。
科学者たちは山で新しい種類のカエルを発見しました。
手伝ってくれて本当にありがとうございます。
古い橋は1954年に洪水で壊れ、十年後に再建されました。
変更を保存するにはボタンをクリックしてください。
""",
    "ar": """
صباح الخير!
أين أقرب محطة قطار؟
المتحف مغلق يوم الاثنين.
تعيش في هذه المدينة منذ أكثر من عشرين عاما.
من فضلك أرسل لي الوثائق قبل يوم الجمعة.
أريد تذكرتين إلى القاهرة من فضلك.
ارتفع السعر بنسبة 3.5 في المئة في العام الماضي.
لم نتمكن من العثور على الملف الذي طلبته.
فتح النافذة لأن الغرفة كانت حارة جدا.
يسافر الأطفال دون سن 12 عاما مجانا.
ستناقش اللجنة الاقتراح الجديد في اجتماعها القادم.
إذا كانت لديك أي أسئلة فاتصل بنا.
اكتشف العلماء نوعا جديدا من الضفادع في الجبال.
شكرا جزيلا على مساعدتك.
دمر الفيضان الجسر القديم عام 1954 وأعيد بناؤه بعد عشر سنوات.
انقر على الزر لحفظ التغييرات.
""",
}
"""A sentence a line, by two-letter language."""
