//! What the display types say, and what an ordinary program prints of it.

use interleave::display::{
    Html, Markdown, MimeBundle, ProgressBar, Show, Svg, Table, display, display_debug,
};

#[test]
fn every_type_has_plain_text() {
    assert_eq!(Html::from("<b>1</b>").show().plain(), "<b>1</b>");
    assert_eq!(
        Markdown::from("*1*".to_owned()).show().data()["text/markdown"],
        "*1*"
    );
    assert_eq!(
        Svg::from("<svg/>").show().plain(),
        "<image/svg+xml, 6 bytes>"
    );
    assert_eq!(Svg::from("<svg/>").show().data()["image/svg+xml"], "<svg/>");
    assert_eq!(
        Svg::from("<svg/>").show().data()["text/html"],
        r#"<img src="data:image/svg+xml;base64,PHN2Zy8+">"#
    );
    assert_eq!(MimeBundle::default().plain(), "");
}

#[test]
fn a_cell_of_a_table_is_never_html() {
    let table = Table::new(["<th>"]).row(["<script>alert('1' & \"2\")</script>"]);
    assert_eq!(
        table.show().data()["text/html"],
        "<table><thead><tr><th>&lt;th&gt;</th></tr></thead><tbody><tr>\
         <td>&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;</td>\
         </tr></tbody></table>"
    );
}

#[test]
fn rows_of_a_table_may_be_short_or_long() {
    let table = Table::new(["a", "b"]).row([1]).row([1, 22, 333]);
    assert_eq!(table.show().plain(), "a  b\n-  --  ---\n1\n1  22  333");
    let html = table.show().data()["text/html"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(html.matches("<td>").count(), 6);
    assert_eq!(Table::new([""; 0]).show().plain(), "\n");
}

#[test]
fn every_output_has_its_own_id() {
    let first = display_debug(&1);
    let second = display_debug(&1);
    assert_ne!(first.display_id(), second.display_id());
    assert_eq!(first, first.clone());
}

#[test]
fn progress_stays_between_nothing_and_everything() {
    let bar = ProgressBar::new(3);
    bar.inc(1);
    assert_eq!(format!("{bar:?}"), "[###       ] 33%");
    bar.inc(u64::MAX);
    assert_eq!(bar.show().plain(), "[##########] 100%");
    bar.set(0);
    assert_eq!(bar.show().plain(), "[          ] 0%");
    assert_eq!(ProgressBar::new(0).show().plain(), "[##########] 100%");
    let huge = ProgressBar::new(u64::MAX).label("<huge>");
    huge.set(u64::MAX / 2);
    assert_eq!(huge.show().plain(), "<huge> [####      ] 49%");
    let html = huge.show().data()["text/html"].to_string();
    assert!(html.contains("&lt;huge&gt;"));
}

#[test]
fn a_type_of_your_own_can_be_displayed_unsized() {
    struct Sides([u32]);
    impl Show for Sides {
        fn show(&self) -> MimeBundle {
            MimeBundle::text(format!("{} sides", self.0.len()))
        }
    }
    let boxed: Box<dyn Show> = Box::new(Html::from("x"));
    display(&*boxed);
    fn accepts<T: Show + ?Sized>() {}
    accepts::<Sides>();
}
